"""The one exception whose message is all its reader needs."""


class UserError(ValueError):
    """A mistake in what was asked for: flags, arguments, photos or files.

    Its message says what is wrong, what was expected, what was received and
    how to go on. The scripts print it without a traceback and exit with 2.
    """
