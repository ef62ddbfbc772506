import errno
import io
import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from thaw.cli import app
from thaw.cli.commands import train
from thaw.cli.help import help_text
from thaw.errors import MachineError, NotFinite, Stopped, UserError

HEAVY = {"keras", "tensorflow", "matplotlib", "numpy"}
# Runs each list of arguments, and prints its status and the heavy imports.
_PROBE = f"""
import ast, sys
sys.path.insert(0, {str(ROOT)!r})
from thaw.cli import app
for arguments in ast.literal_eval(sys.stdin.read()):
    status = app.main("train", ["train.py", *arguments])
    print("status", status, sorted({HEAVY!r} & set(sys.modules)))
"""


@pytest.mark.process
def test_mistakes_are_answered_without_importing_anything_heavy():
    cases = [
        (["--help"], 0),
        (["--list_backbones"], 0),
        (["--list-backbones"], 0),
        (["--list_backbones=torch"], 2),
        (["--epoch=3"], 2),
        (["--epochs=-1"], 2),
        (["--epochs"], 2),
        (["--dropout=1.5"], 2),
        (["--validation_fraction=1.5"], 2),
        (["--validation_fraction=nan"], 2),
        (["--flagfile=model_zoo/weights/vgg16_tiny.weights.h5"], 2),
        (["--helpfull"], 0),
        (["--resize=stretch"], 2),
        (["--flagfile=missing.flags"], 2),
        (["--backbone=vgg17"], 2),
        (["--backbone=missing.keras"], 2),
        (["--backbone=xception", "--image_size=32"], 2),
        (["--backbone=efficientnetb0", "--preprocess=caffe"], 2),
        (["--backbone=vgg16_tiny", "--weights=imagenet"], 2),
        (["--backbone=vgg16", "--cut_at=fc2", "--image_size=150"], 2),
        (["--weights=missing.h5"], 2),
        (["--epochs=0", "--head_epochs=0"], 2),
        (["photos"], 2),
    ]
    process = subprocess.run(
        [sys.executable, "-c", _PROBE],
        input=repr([arguments for arguments, _ in cases]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = [x for x in process.stdout.splitlines() if x.startswith("status")]
    assert found == [f"status {status} []" for _, status in cases]
    errors = process.stderr.splitlines()
    assert len(errors) == sum(status == 2 for _, status in cases)
    assert all(line.startswith("train.py: ") for line in errors)


@pytest.mark.process
def test_help_takes_less_than_a_second():
    code = (
        "import sys, time; start = time.perf_counter(); import thaw.cli.app as "
        "app; app.main('train', ['train.py', '--help']); "
        "sys.stderr.write(str(time.perf_counter() - start))"
    )
    seconds = min(
        float(
            subprocess.run(
                [sys.executable, "-c", code],
                cwd=ROOT, capture_output=True, text=True, timeout=60,
            ).stderr
        )
        for _ in range(3)
    )  # fmt: skip
    assert seconds < 1


def test_help_shows_every_flag_with_its_default_and_bounds():
    text = help_text(train)
    words = " ".join(text.split())
    assert "--unfreeze_from=STRING" in words
    assert "--resize=squash|crop|center|pad" in words
    assert "Photos per step. (default: 20; 1 to 4,096)" in words
    assert "--[no]horizontal_flip" in words
    assert "Set an option that has no flag: head_schedule" in words
    assert max(map(len, text.splitlines())) <= 80
    assert len(text.splitlines()) < 160


@pytest.mark.parametrize(
    ("is_terminal", "written"),
    [
        (False, "\u732b \xe9 ".encode() + b"\xff"),
        (True, b"\\u732b \xe9 \\udcff"),
    ],
)
def test_files_and_pipes_are_utf8(monkeypatch, is_terminal, written):
    for name in ("stdout", "stderr"):
        stream = io.TextIOWrapper(io.BytesIO(), "cp1252")
        stream.isatty = lambda: is_terminal
        monkeypatch.setattr(sys, name, stream)
    app.prepare_process()
    print("\u732b \xe9 \udcff", end="", flush=True)
    assert sys.stdout.buffer.getvalue() == written


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UserError("Give `epochs=3`."), 2, "Give --epochs=3."),
        (UserError("Set `beta_2`."), 2, "Set --set beta_2."),
        (UserError("No `such` thing."), 2, "No `such` thing."),
        (UserError("\x1b[2J"), 2, "\\x1b[2J"),
        (MachineError("No memory."), 1, "No memory."),
        (NotFinite("NaN.", "head"), 1, "NaN."),
        (Stopped(15), 143, "Stopped by SIGTERM."),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C."),
        (
            OSError(errno.ENOSPC, "No space left", "x.keras"),
            1,
            "Cannot use x.keras: No space left.",
        ),
        (
            OSError(errno.ENAMETOOLONG, "File name too long", "x"),
            2,
            "Cannot use x: File name too long.",
        ),
    ],
)
def test_errors_are_one_message_and_a_status(
    monkeypatch, capsys, error, status, message
):
    def fail(*_):
        raise error

    monkeypatch.setattr(train, "main", fail)
    assert app.main("train", ["some/train.py"]) == status
    assert capsys.readouterr().err == f"train.py: {message}\n"


def test_commands_are_those_that_the_user_has(monkeypatch, capsys):
    def fail(*_):
        raise UserError("Give `epochs`: python train.py --resume=x")

    monkeypatch.setattr(train, "main", fail)
    assert app.main("train", ["thaw train"]) == 2
    said = capsys.readouterr().err
    assert said == "thaw train: Give --epochs: thaw train --resume=x\n"


def test_ctrl_c_in_an_import_is_said_as_elsewhere(monkeypatch, capsys):
    def interrupt(*_):
        # As extension modules do, pybind11's for one.
        raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.setattr(train, "main", interrupt)
    assert app.main("train", ["train.py"]) == 130
    assert capsys.readouterr().err == "train.py: Stopped by Ctrl-C.\n"


def test_other_errors_keep_their_traceback(monkeypatch):
    def fail(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(train, "main", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        app.main("train", ["train.py"])


@pytest.mark.process
def test_names_are_printed_as_the_bytes_that_they_are():
    code = (
        "from thaw.cli import app; app.prepare_process(); print('bad\\udcff')"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    ).stdout
    assert printed == b"bad\xff\n"


def test_startup_logs_are_dropped_and_errors_passed_on(capfd):
    with app.without_startup_logs():
        os.write(2, b"I0000 00:00:1 1 port.cc:153] oneDNN\nE0000 broken\n")
    assert capfd.readouterr().err == "E0000 broken\n"


@pytest.mark.process
def test_thaw_runs_the_commands():
    def thaw(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "thaw.cli", *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    done = thaw("train", "--list_backbones")
    assert done.returncode == 0 and "vgg16" in done.stdout
    assert "train|predict" in thaw("sing").stderr
    assert thaw("sing").returncode == 2
    assert thaw("train", "--epoch=1").stderr.startswith("thaw train: Unknown")
