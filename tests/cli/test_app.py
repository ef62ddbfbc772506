import os
import subprocess
import sys

import pytest
from absl import flags

from tests.support.paths import ROOT

# Runs a script and says on the last line which heavy modules it imported.
_PROBE = """
import runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, {root!r})
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    heavy = {{"keras", "tensorflow", "matplotlib", "numpy"}} & set(sys.modules)
    print("status", end.code, "heavy", sorted(heavy))
"""


def probe(*arguments):
    return subprocess.run(
        [sys.executable, "-c", _PROBE.format(root=str(ROOT)), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], "0"),
        (["--list_backbones"], "0"),
        (["--list-backbones"], "0"),
        (["--epoch=3"], "2"),
        (["--epochs=-1"], "2"),
        (["--epochs"], "2"),
        (["--dropout=1.5"], "2"),
        (["--validation_fraction=1.5"], "2"),
        (["--validation_fraction=nan"], "2"),
        (["--no-horizontal-flip=true"], "2"),
        (["--flagfile=model_zoo/weights/vgg16_tiny.weights.h5"], "2"),
        (["--helpfull"], "0"),
        (["--resize=stretch"], "2"),
        (["--flagfile=missing.flags"], "2"),
        (["--backbone=vgg17"], "2"),
        (["--backbone=missing.keras"], "2"),
        (["--backbone=xception", "--image_size=32"], "2"),
        (["--backbone=efficientnetb0", "--preprocess=caffe"], "2"),
        (["--backbone=vgg16_tiny", "--weights=imagenet"], "2"),
        (["--backbone=vgg16", "--cut_at=fc2", "--image_size=150"], "2"),
        (["--weights=missing.h5"], "2"),
        (["--epochs=0", "--head_epochs=0"], "2"),
        (["photos"], "2"),
    ],
)
def test_answers_without_importing_anything_heavy(arguments, status):
    process = probe("train.py", *arguments)
    assert process.stdout.splitlines()[-1] == f"status {status} heavy []"
    if status == "2":
        assert process.stderr.startswith("train.py: ")
        assert "Traceback" not in process.stderr


def test_wrong_names_are_answered_with_near_ones():
    assert "vgg16" in probe("train.py", "--backbone=vgg17").stderr
    assert "--epochs" in probe("train.py", "--help").stdout
    assert "epochs" in probe("train.py", "--epoch=3").stderr


def test_help_shows_every_flag_with_its_default_and_bounds():
    text = probe("train.py", "--help").stdout
    words = " ".join(text.split())
    assert "--unfreeze_from=STRING" in words
    assert "--resize=squash|crop|center|pad" in words
    assert "(default: 20; an integer in the range [1, 4096])" in words
    assert "--[no]horizontal_flip" in words
    assert max(map(len, text.splitlines())) <= 80


def test_hyphens_underscores_and_flagfiles_mean_the_same(tmp_path):
    flagfile = tmp_path / "a.flags"
    flagfile.write_text("--no-horizontal-flip\n--unfreeze-from=block4_conv1\n")
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import train
from thaw.cli import app, train_flags
rest = app.parse_flags(sys.argv)
flags = train_flags
print(flags.UNFREEZE_FROM.value, flags.HORIZONTAL_FLIP.value, rest[1:])
"""
    for arguments in (
        ["--unfreeze-from=block4_conv1", "--no-horizontal-flip"],
        ["--unfreeze_from", "block4_conv1", "--nohorizontal_flip"],
        ["--unfreeze-from", "block4_conv1", "--horizontal-flip=false"],
        [f"--flagfile={flagfile}"],
    ):
        process = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            capture_output=True,
            text=True,
        )
        assert process.stdout == "block4_conv1 False []\n", process.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--flagfile=b.flags", "line 2: a flagfile cannot include another"),
        ("  -flagfile b.flags", "line 2: a flagfile cannot include another"),
        ("--profile_file=canary", "--profile_file cannot stand in a flagfile"),
        ("--norun_with_pdb", "--norun_with_pdb cannot stand in a flagfile"),
        ("--undefok=x", "--undefok cannot stand in a flagfile"),
        ("--\x1b[2J=1", r"\x1b[2J"),
    ],
)
@pytest.mark.parametrize("given", ["--flagfile=run/flags.txt", "--resume=run"])
def test_flagfiles_of_others_are_data(tmp_path, line, message, given):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "flags.txt").write_text(f"--epochs=3\n{line}\n")
    (tmp_path / "b.flags").write_text("--epochs=5\n")
    process = subprocess.run(
        [sys.executable, ROOT / "train.py", given],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 2
    assert message in process.stderr and "\x1b" not in process.stderr
    assert process.stderr.count("\n") == 1
    assert not (tmp_path / "canary").exists()


def test_several_flagfiles_may_be_given(tmp_path, monkeypatch):
    from thaw.cli import flag_files

    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).write_text("--epochs=3\n# --flagfile=c\n")
    flag_files.check_flagfiles(["x", "--flagfile=a", "--flagfile", "b"])
    flag_files.check_flagfiles(["x", "--", "--flagfile=missing"])
    (tmp_path / "a").unlink()
    os.mkfifo(tmp_path / "a")
    with pytest.raises(flags.Error, match="a is no flagfile"):
        flag_files.check_flagfiles(["x", "--flagfile=a"])


def test_a_full_disk_is_one_message_and_status_1(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys, errno; sys.path.insert(0, {str(ROOT)!r})\n"
        "from thaw.cli import app\n"
        "def main(argv):\n"
        "    raise OSError(errno.ENOSPC, 'No space left', 'x.keras')\n"
        "app.run(main)\n"
    )
    process = subprocess.run(
        [sys.executable, script], capture_output=True, text=True
    )
    assert process.returncode == 1
    assert process.stderr == "script.py: Cannot use x.keras: No space left.\n"


def test_a_file_that_may_not_be_read_is_one_message_and_status_2(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from thaw.cli import app\n"
        "app.run(lambda argv: open('x' * 300))\n"
    )
    process = subprocess.run(
        [sys.executable, script], capture_output=True, text=True
    )
    assert process.returncode == 2
    assert process.stderr.endswith(f"{'x' * 300}: File name too long.\n")


def test_what_comes_after_two_hyphens_is_left_alone():
    from thaw.cli import app

    rest = app.parse_flags(["x", "a.jpg", "--", "--my-photo.jpg"])
    assert rest == ["x", "a.jpg", "--my-photo.jpg"]


def test_startup_remarks_are_left_out_and_errors_passed_on(tmp_path, capfd):
    from thaw.cli import app as app

    with app.without_startup_remarks():
        os.write(
            2,
            b"I0000 00:00:1 1 port.cc:153] oneDNN\nE0000 broken\n"
            b"E0000 00:00:1 1 util.cc:131] oneDNN supports DT_HALF only on\n",
        )
    assert capfd.readouterr().err == "E0000 broken\n"
