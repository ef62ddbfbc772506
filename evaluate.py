"""Evaluates a trained model: how good it is, where it is wrong, and why.

    python evaluate.py runs/latest
    python evaluate.py runs/latest --data=other_photos

Everything is in thaw/cli/commands/evaluate.py; all flags: --help
"""

from thaw.cli import app

if __name__ == "__main__":
    app.run("evaluate")
