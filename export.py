"""Exports a trained model: python export.py runs/latest --format=onnx

All flags: python export.py --help. The same in Python: `thaw.Run.export`.
"""

from thaw.cli import app

if __name__ == "__main__":
    app.run("export")
