"""Entry point of `thaw COMMAND`, the seven scripts under one name."""

import difflib
import sys

from thaw.cli import app

COMMANDS = (
    "train",
    "predict",
    "evaluate",
    "compare",
    "export",
    "serve",
    "doctor",
)
_USAGE = f"Usage: thaw {'|'.join(COMMANDS)} ...  (flags: --help)"


def main() -> None:
    """Runs `thaw train|predict|...` and exits."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("--help", "-h"):
        print(_USAGE)
        sys.exit(0)
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        print(f"thaw: no command {name!r}.{hint} {_USAGE}", file=sys.stderr)
        sys.exit(2)
    del sys.argv[1]
    sys.argv[0] = f"thaw {name}"
    app.run(name)


if __name__ == "__main__":
    main()
