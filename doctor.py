"""Checks every photo of a folder: python doctor.py photos

All flags: python doctor.py --help. The same in Python: `thaw.check_photos`.
"""

from thaw.cli import app

if __name__ == "__main__":
    app.run("doctor")
