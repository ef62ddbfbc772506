"""A home folder of the tests' own, in place of the user's."""

import atexit
import functools
import shutil
import tempfile


@functools.cache
def variables() -> dict[str, str]:
    """Returns environment variables that name a new, empty home folder.

    A process that is given them, and those it starts, neither read nor fill
    the caches and settings that Thaw, Keras, matplotlib and others keep for
    the user. Set them before any of these is imported.
    """
    home = tempfile.mkdtemp(prefix="thaw-tests-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return {
        "HOME": home,
        "XDG_CACHE_HOME": f"{home}/.cache",
        "XDG_CONFIG_HOME": f"{home}/.config",
        "KERAS_HOME": f"{home}/.keras",
        # Scripts that are given another XDG_CACHE_HOME would all look for the
        # fonts anew, and say so where that takes long.
        "MPLCONFIGDIR": f"{home}/.matplotlib",
    }
