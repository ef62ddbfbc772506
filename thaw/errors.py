"""Exceptions whose message is all its reader needs, and how it is shown."""


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


class NotProved(RuntimeError):
    """A saved model could not be shown to be the one that was trained."""


def printable(text: str) -> str:
    """Returns `text` as it can be printed: control codes as `\\x1b`.

    A name from a file of somebody's might move the cursor or change its
    colours. Bytes of a name that are no UTF-8 stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or "\udc80" <= character <= "\udcff"
        else character.encode("unicode_escape").decode()
        for character in text
    )
