"""Commands run as scripts: flags in, exit status and plain messages out."""

import contextlib
import ctypes
import errno
import importlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from thaw import progress
from thaw.cli import flags
from thaw.cli.help import help_text
from thaw.config import TrainConfig
from thaw.errors import (
    MachineError,
    NotFinite,
    NotVerified,
    Stopped,
    UserError,
    printable,
)
from thaw.keras_config import check_keras_config
from thaw.options import Config

_STARTUP_LOG = re.compile(
    r"I0000 |WARNING: All log messages before absl|To enable the following"
    r"|E0000 .* failed call to cuInit"  # there is no GPU
    r"|E0000 .* oneDNN supports DT_HALF only"  # no AVX512-FP16
    r"|INFO: Created TensorFlow Lite|fully_quantize: |W0000 .*tflite"
)
_HELP = {"--help", "-help", "-h", "--helpshort", "--helpfull"}
_DISK_ERRORS = (  # the machine's, not the user's
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
)
# M_MMAP_MAX, M_TRIM_THRESHOLD and M_TOP_PAD of glibc's malloc.h
_MALLOC = ((-4, 0), (-1, 2**31 - 1), (-2, 64 << 20))
_OPTION = re.compile(r"`(?P<name>\w+)(?P<value>=[^`]*)?`")
_SCRIPT = re.compile(r"python (\w+)\.py")
_WITHOUT_KERAS = ("compare", "doctor")
_CTRL_C = 130
_BROKEN_PIPE = 141


def run(name: str) -> None:
    """Runs a command of `thaw.cli.commands` as this process, and exits.

    The exit status is 0; 2 for a mistake of the user's (one message on
    stderr, no traceback); 130 for Ctrl-C; and 1 for any other failure.

    Args:
        name: Name of the command.
    """
    prepare_process()
    if name == "train":
        keep_freed_memory()
    _end(main(name, sys.argv))


def _end(status):
    """Ends the process at once, when all that it printed is out.

    Python would take TensorFlow apart before, for more than a second; and
    after Ctrl-C its threads may be at work still, and wait for each other.
    """
    logging.shutdown()
    try:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
    except OSError:  # which Python says once more
        if status != _CTRL_C:
            sys.exit(status)
    os._exit(status)


def prepare_process() -> None:
    """Sets what a library call must not: environment, encoding, logs."""
    # Before TensorFlow is imported: its logs on the machine help nobody.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if not os.environ.get("KERAS_BACKEND"):
        os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever keras.json says
    # oneDNN is faster, but off by default on some processors; it changes the
    # last bits, so it is the same for every script.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Names of files are bytes, not all valid UTF-8, and a terminal may know
    # less than that. Files and pipes are UTF-8 whatever the terminal is.
    stdout: Any = sys.stdout
    stderr: Any = sys.stderr
    if stderr is not None and not stderr.isatty():
        stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    if not stdout.isatty():
        stdout.reconfigure(encoding="utf-8")
    utf8 = stdout.encoding.lower() in ("utf-8", "utf8")
    stdout.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")
    # Each model is called in its own way a few times: TensorFlow takes them all
    # for one, and warns of it.
    logging.getLogger("tensorflow").addFilter(
        lambda record: "triggered tf.function retracing" not in str(record.msg)
    )
    logging.getLogger("matplotlib").setLevel(logging.WARNING)  # on its fonts
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # on odd requests


def keep_freed_memory() -> None:
    """Makes malloc keep what is freed, for the batches to come.

    glibc gives large blocks back at once and gets them again page by page,
    batch after batch: a tenth of an epoch on cached features. Elsewhere
    nothing is done.
    """
    libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):
        for parameter, value in _MALLOC:
            libc.mallopt(parameter, value)
        os.environ["THAW_MALLOC"] = "keep"  # said in run.json


def main(name: str, argv: Sequence[str]) -> int:
    """Returns the exit status of a command, which it runs in this process.

    Args:
        name: Name of the command.
        argv: Its arguments, the name of the script first.
    """
    command = importlib.import_module(f"thaw.cli.commands.{name}")
    script = os.path.basename(argv[0])

    def words(text):
        return in_words_of(script, text, command.CONFIGS)

    def fail(status, message):
        return _fail(script, status, words(message))

    if _HELP & set(argv[1:]):
        print(words(help_text(command)))
        return 0
    try:
        positional, configs = flags.parse(argv, command.CONFIGS)
    except UserError as error:
        return fail(2, f"{error} (All flags: --help)")
    try:
        if name not in _WITHOUT_KERAS:
            check_keras_config()
        with progress.output(format=words, heavy_imports=without_startup_logs):
            return command.main(positional, *configs)
    except UserError as error:
        return fail(2, str(error))
    except (MachineError, NotFinite, NotVerified) as error:
        return fail(1, str(error))
    except (KeyboardInterrupt, ImportError) as error:
        stopped = _interruption_of(error)
        if stopped is None:
            raise
        if isinstance(stopped, Stopped):
            return fail(stopped.status, str(stopped))
        return fail(_CTRL_C, "Stopped by Ctrl-C.")
    except BrokenPipeError:  # e.g. `python predict.py ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        status = 1 if error.errno in _DISK_ERRORS else 2
        if status == 2 and error.filename is None:
            raise
        where = error.filename or "the output"
        return fail(status, f"Cannot use {where}: {error.strerror}.")


def _interruption_of(error):
    """Returns the Ctrl-C that an exception is, or comes of, or None.

    An extension module that is interrupted while it is imported says
    `ImportError: initialization failed`.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def in_words_of(script: str, text: str, configs: Sequence[type[Config]]) -> str:
    """Returns a message of the library in the words of the command line.

    Args:
        script: Name of the script, or `thaw COMMAND`.
        text: Message, in which options stand as `name` or `name=value`, and
            commands as `python NAME.py`.
        configs: Dataclasses of the options of the command.

    Returns:
        The same with `--name`, or `--set name` where there is no such flag;
        and with `thaw NAME`, if that is how the script was started.
    """
    known = flags.known_options([TrainConfig, *configs])

    def with_dash(match):
        name, value = match["name"], match["value"] or ""
        if name not in known:
            return match[0]
        return f"{'--' if known[name].flag else '--set '}{name}{value}"

    if script.startswith("thaw "):  # which may be all that is installed
        text = _SCRIPT.sub(r"thaw \1", text)
    return _OPTION.sub(with_dash, text)


def _fail(script: str, status: int, message: str) -> int:
    """Prints a message to stderr, and returns the exit status."""
    with contextlib.suppress(OSError):  # it may be what failed
        sys.stdout.flush()
    # Text of an untrusted file may be part of it.
    text = "\n".join(map(printable, message.split("\n")))
    print(f"{script}: {text}", file=sys.stderr)
    return status


@contextlib.contextmanager
def without_startup_logs() -> Iterator[None]:
    """Drops TensorFlow's log lines on the machine while it is imported.

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
                if not _STARTUP_LOG.match(line):
                    print(line, file=sys.stderr)
