"""What the scripts share: reading flags, exit statuses, plain messages."""

import contextlib
import errno
import logging as python_logging
import math
import os
import re
import signal
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, flags, logging

from thaw.cli import flag_files
from thaw.errors import UserError, printable

_WIDTH, _INDENT = 80, 30  # columns of --help
_STARTUP_REMARK = re.compile(
    r"I0000 |WARNING: All log messages before absl|To enable the following"
    r"|E0000 .* failed call to cuInit"  # there is no GPU
    r"|E0000 .* oneDNN supports DT_HALF only"  # no AVX512-FP16
    r"|INFO: Created TensorFlow Lite|fully_quantize: |W0000 .*tflite"
)
_HELP = {"--help", "-help", "-h", "--helpshort", "--helpfull"}
DISK_ERRORS = (  # the machine's, not the user's
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
)
_sections = []  # (title, names of the flags defined before it)


def run(main: Callable[[list[str]], int]) -> None:
    """Runs `main(argv)` as a script and exits.

    The exit status is 0, 2 for a mistake of the user's (one message on
    stderr, no traceback), 130 for Ctrl-C, and 1 for any other failure.

    Args:
        main: Function of the arguments that are not flags, the name of the
            script first; its return value is the exit status.
    """
    # Before TensorFlow is imported: its remarks on the machine help nobody.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # oneDNN is faster, but off by default on some processors; it changes the
    # last bits, so it is the same for every script.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Names of files are bytes, not all valid UTF-8, and the terminal may know
    # less than that.
    utf8 = sys.stdout.encoding.lower() in ("utf-8", "utf8")
    sys.stdout.reconfigure(
        errors="surrogateescape" if utf8 else "backslashreplace"
    )
    # Each model is called in its own way a few times: TensorFlow takes them all
    # for one, and remarks on it.
    python_logging.getLogger("tensorflow").addFilter(
        lambda record: "triggered tf.function retracing" not in str(record.msg)
    )
    logging.set_verbosity(logging.WARNING)  # matplotlib remarks on its fonts
    # In names of photos; a box is drawn in its place.
    warnings.filterwarnings("ignore", "Glyph .* missing from font")
    try:
        app.run(main, flags_parser=parse_flags)
    except UserError as error:
        exit_with(2, str(error))
    except KeyboardInterrupt:
        exit_with(130, "Stopped by Ctrl-C.")
    except BrokenPipeError:  # e.g. `python predict.py ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        status = 1 if error.errno in DISK_ERRORS else 2
        if status == 2 and error.filename is None:
            raise
        where = error.filename or "the output"
        exit_with(status, f"Cannot use {where}: {error.strerror}.")


@contextlib.contextmanager
def without_startup_remarks():
    """Leaves out what TensorFlow remarks on the machine when it is imported.

    TensorFlow 2.21 writes these lines straight to the file descriptor, before
    any setting of its log level counts. Warnings and errors are passed on.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            for line in file.read().decode(errors="replace").splitlines():
                if not _STARTUP_REMARK.match(line):
                    print(line, file=sys.stderr)


def ignore_ctrl_c() -> None:
    """Makes Ctrl-C do nothing from here on, while results are written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def exit_with(status: int, message: str) -> NoReturn:
    """Prints `message` to stderr and exits with `status`."""
    with contextlib.suppress(OSError):  # it may be what failed
        sys.stdout.flush()
    name = os.path.basename(sys.argv[0])
    # What a file of somebody's says may be part of it.
    text = "\n".join(map(printable, message.split("\n")))
    print(f"{name}: {text}", file=sys.stderr)
    sys.exit(status)


def check_outside_data(flag: str, folder: str | Path, data: str) -> None:
    """Raises a `UserError` if `folder` is among the photos."""
    if Path(folder).resolve().is_relative_to(Path(data).resolve()):
        raise UserError(
            f"--{flag}: {folder} is among the photos of {data}, and would be "
            "taken for photos by the next run. Give a folder outside."
        )


class ShareParser(flags.ArgumentParser):
    """Reads a percentage as a share, 5% as 0.05; `--flag` alone is 100%."""

    bare = "100%"
    syntactic_help = "a percentage"

    def parse(self, argument: str | float) -> float:
        if isinstance(argument, float):
            return argument
        number = argument.removesuffix("%")
        if number == argument or not 0 <= float(number) <= 100:
            raise ValueError("expected a percentage, e.g. 5%")
        return float(number) / 100

    def flag_type(self) -> str:
        return "share"


class ShareSerializer(flags.ArgumentSerializer):
    """Writes a share as a percentage."""

    def serialize(self, value: float) -> str:
        return f"{value * 100:g}%"


def parse_flags(argv: list[str]) -> list[str]:
    """Returns `argv` without its flags, and sets these in `flags.FLAGS`.

    Hyphens and underscores in the name of a flag are the same. `--help`
    prints every flag of the script and exits with 0; a wrong flag exits
    with 2.
    """
    values = flags.FLAGS
    if _HELP & set(argv[1:]):
        print(help_text())
        sys.exit(0)
    try:
        argv = flag_files.with_flags_of_resumed_run(argv)
        flag_files.check_flagfiles(argv)
        argv = values.read_flags_from_files(argv, force_gnu=True)
        end = argv.index("--") if "--" in argv else len(argv)
        rest = values([*map(_with_underscores, argv[:end]), *argv[end:]])
        for flag in _flags_of_script():
            if isinstance(flag.value, float) and not math.isfinite(flag.value):
                raise flags.Error(f"--{flag.name} must be a finite number.")
        return rest
    except (flags.Error, ValueError, OSError) as error:
        # absl begins one of its messages with ERROR::.
        message = str(error).removeprefix("ERROR:: ")
        exit_with(2, f"{message} (All flags: --help)")


def _with_underscores(argument):
    """Returns `--unfreeze-from=x` as `--unfreeze_from=x`; values stay."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument[2:].partition("=")
    name = name.replace("-", "_")
    if name.startswith("no_") and name not in flags.FLAGS:
        name = name.replace("no_", "no", 1)  # --no-horizontal-flip
    if not equals and name in flags.FLAGS:
        bare = getattr(flags.FLAGS[name].parser, "bare", None)
        equals, value = ("=", bare) if bare else ("", "")
    return f"--{name}{equals}{value}"


def section(title: str) -> None:
    """Begins a section of `--help`: the flags defined from here on."""
    _sections.append((title, frozenset(flags.FLAGS)))


def help_text() -> str:
    """Returns the docstring of the script and, by section, all its flags."""
    lines = [sys.modules["__main__"].__doc__.strip()]
    ends = [before for _, before in _sections[1:]] + [frozenset(flags.FLAGS)]
    for (title, before), end in zip(_sections, ends, strict=True):
        lines += ["", f"{title}:"]
        for flag in _flags_of_script():
            if flag.name in end - before:
                lines += _flag_help(flag)
    return "\n".join(lines)


def _flag_help(flag):
    values = getattr(flag.parser, "enum_values", None)
    if flag.boolean:
        head = f"  --[no]{flag.name}"
    elif values:
        head = f"  --{flag.name}={'|'.join(values)}"
    else:
        head = f"  --{flag.name}={flag.flag_type().upper()[:6]}"
    facts = []
    if flag.default is not None:
        facts.append("default: " + flag.default_as_str.strip("'"))
    if flag.parser.syntactic_help and not flag.boolean:
        facts.append(flag.parser.syntactic_help)
    text = flag.help.removeprefix(f"<{'|'.join(values or [])}>: ") + (
        f" ({'; '.join(facts)})" if facts else ""
    )
    wrapped = textwrap.wrap(text, _WIDTH - _INDENT)
    if len(head) < _INDENT - 1:
        wrapped[0] = f"{head:{_INDENT}}{wrapped[0]}"
    else:
        wrapped.insert(0, head)
    return wrapped[:1] + [" " * _INDENT + line for line in wrapped[1:]]


def _flags_of_script():
    return flags.FLAGS.get_key_flags_for_module(sys.argv[0])


def changed_flags(left_out: Sequence[str] = ()) -> list[str]:
    """Returns the script's flags that differ from their defaults.

    Args:
        left_out: Names of flags to leave out.

    Returns:
        Lines of a flagfile, e.g. `--epochs=5`, in alphabetical order.
    """
    return [
        flag.serialize()
        for flag in sorted(_flags_of_script(), key=lambda flag: flag.name)
        if flag.value != flag.default and flag.name not in left_out
    ]
