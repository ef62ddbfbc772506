"""Draws runs over each other, and tells differences from noise.

    python compare.py runs/first runs/second ...
    python compare.py runs/*

Everything is in thaw/cli/commands/compare.py; all flags: --help
"""

from thaw.cli import app

if __name__ == "__main__":
    app.run("compare")
