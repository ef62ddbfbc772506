"""Serves a page to try a trained model: python serve.py runs/latest

All flags: python serve.py --help.
"""

from thaw.cli import app

if __name__ == "__main__":
    app.run("serve")
