"""Predicts the class of photos: python predict.py runs/latest photo.jpg

All flags: python predict.py --help. The same in Python: `thaw.Run.predict`.
"""

from thaw.cli import app

if __name__ == "__main__":
    app.run("predict")
