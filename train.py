"""Fine-tunes an image classifier: python train.py --data photos

All flags: python train.py --help. The same in Python: `thaw.fine_tune`.
"""

from thaw.cli import app


def __getattr__(name):
    # `from train import build_model`, without importing Keras for --help.
    if name == "build_model":
        from model_zoo import build_model

        return build_model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    app.run("train")
