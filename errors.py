"""Exceptions whose message is all its reader needs."""


class UserError(ValueError):
    """A mistake in what was asked for: flags, arguments, photos or files.

    Its message says what is wrong, what was expected, what was received and
    how to go on. The scripts print it without a traceback and exit with 2.
    """


class NotFinite(FloatingPointError):
    """A loss or a gradient is NaN or infinite.

    Attributes:
        stage: Name of the stage.
    """

    def __init__(self, message: str, stage: str):
        super().__init__(message)
        self.stage = stage


class ReopenedDiffers(RuntimeError):
    """A saved model is not the one that was trained."""
