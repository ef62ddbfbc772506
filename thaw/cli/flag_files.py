"""Flagfiles: whose flags count, and which may stand in one."""

import os
import re
import stat
from collections.abc import Sequence

from absl import flags

_MOST_BYTES = 1 << 20
_DIRECTIVE = re.compile(r"--?flagfile(=(?P<path>.*))?")
_FLAG = re.compile(r"--?(?P<name>[a-zA-Z][\w-]*)")


def with_flags_of_resumed_run(argv: list[str]) -> list[str]:
    """Returns `argv` with the flags of the run of --resume, where it is one.

    Raises:
        absl.flags.Error: If that is no run.
    """
    if "resume" not in flags.FLAGS:
        return argv
    for place in reversed(range(len(argv))):  # of several the last counts
        name, equals, run_dir = argv[place].partition("=")
        if name not in ("--resume", "-resume"):
            continue
        if not equals:
            run_dir = argv[place + 1] if place + 1 < len(argv) else ""
        path = os.path.join(run_dir, "flags.txt")
        if not os.path.isfile(path):
            raise flags.Error(
                f"--resume: there is no {path}. Expected the folder of a run "
                "that was stopped, e.g. --resume=runs/latest"
            )
        return [argv[0], f"--flagfile={path}", *argv[1:]]
    return argv


def check_flagfiles(argv: Sequence[str]) -> None:
    """Checks the flagfiles that are given, which anyone may have written.

    absl would also follow a `--flagfile` in them, and take flags of its own,
    one of which (`--profile_file`) overwrites any file.

    Args:
        argv: Arguments of the command line.

    Raises:
        absl.flags.Error: If there is more in one than flags of the script.
        OSError: If a file cannot be read.
    """
    absl_flags = {"undefok"} | {
        flag.name
        for module, found in flags.FLAGS.flags_by_module_dict().items()
        if module.split(".")[0] == "absl"
        for flag in found
    }
    for place, argument in enumerate(argv):
        if argument == "--":
            break
        found = _DIRECTIVE.fullmatch(argument)
        if found:
            path = found["path"]
            if path is None:
                path = argv[place + 1] if place + 1 < len(argv) else ""
            _check(os.path.expanduser(path.strip()), absl_flags)


def _check(path, absl_flags):
    if not path:
        return
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
        raise flags.Error(f"{path} is no flagfile, or a huge one.")
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, 1):
            flag = _FLAG.match(line.strip())
            if not flag:
                continue
            name = flag["name"].replace("-", "_")
            if name == "flagfile":
                raise flags.Error(
                    f"{path}, line {number}: a flagfile cannot include "
                    "another. Give both: --flagfile=A --flagfile=B"
                )
            if {name, name.removeprefix("no")} & absl_flags:
                raise flags.Error(
                    f"{path}, line {number}: --{name} cannot stand in a "
                    "flagfile; it is not a flag of this script's own."
                )
