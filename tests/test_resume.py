import csv
import json
import re
import resource
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.kill_and_resume import compare, results
from tests.conftest import ROOT
from training.checkpoints import Checkpoints

QUICK = ["--limit=60", "--image_size=32", "--backbone=vgg16_tiny",
         "--head_epochs=1", "--epochs=2", "--batch_size=8"]  # fmt: skip


def test_a_run_that_is_killed_ends_as_it_would_have(tmp_path):
    """Five kills; `python -m benchmarks.kill_and_resume` does twenty."""
    arguments = [
        "--limit=200", "--image_size=48", "--checkpoint_minutes=0",
        "--head_epochs=3", "--epochs=6",
    ]  # fmt: skip
    equal, log = compare(tmp_path, 5, 0, arguments)
    assert equal, "\n".join(log)


def run_changed(body, *arguments, **options):
    """Runs train.py after `body`, which may change the project's modules."""
    script = (
        f"import os, runpy, signal, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"{body}\nsys.argv[0] = {str(ROOT / 'train.py')!r}\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, **options,
    )  # fmt: skip


# Kills the process where it is about to call `name` for the Nth time.
KILL = """
import {module} as module
original, calls = module.{name}, [0]
def kill(*args, **kwargs):
    calls[0] += 1
    if calls[0] == {call}:
        os.kill(os.getpid(), signal.{signal})
    return original(*args, **kwargs)
module.{name} = kill
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results of the quick run, without interruption."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    done = run_changed("", *QUICK, f"--run_dir={run_dir}")
    assert done.returncode == 0, done.stderr
    assert not (run_dir / "checkpoint").exists()
    return results(run_dir)


@pytest.mark.parametrize(
    "module, name, call, number",
    [
        ("training.run_state", "Checkpoints.save", 3, "SIGKILL"),
        ("training.checkpoints", "_link_or_copy", 1, "SIGKILL"),
        ("training.checkpoints", "os.rename", 4, "SIGKILL"),  # between stages
        ("training.run_folder", "os.replace", 11, "SIGKILL"),
        ("training.loop", "_validate", 2, "SIGTERM"),
        ("training.stages", "train_epochs", 2, "SIGINT"),
        ("training.stages", "hash_layers", 2, "SIGHUP"),
    ],
)
def test_wherever_it_is_stopped(whole, tmp_path, module, name, call, number):
    run_dir = tmp_path / "run"
    body = KILL.format(module=module, name=name, call=call, signal=number)
    stopped = run_changed(
        body, *QUICK, f"--run_dir={run_dir}", "--checkpoint_minutes=0",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    number = getattr(signal, number)
    if number == signal.SIGKILL:
        assert stopped.returncode == -number
    else:
        assert stopped.returncode == 128 + number, stopped.stderr
        if number != signal.SIGHUP:
            assert f"Go on: python train.py --resume={run_dir}" in (
                stopped.stderr
            )
    done = run_changed("", f"--resume={run_dir}")
    assert done.returncode == 0, done.stderr
    assert results(run_dir) == whole
    assert json.loads((run_dir / "run.json").read_text())["epochs"] == 3
    again = run_changed("", f"--resume={run_dir}")
    assert again.returncode == 2 and "has ended" in again.stderr


def test_killed_again_and_again_in_one_epoch(whole, tmp_path):
    run_dir = tmp_path / "run"
    arguments = [*QUICK, f"--run_dir={run_dir}", "--checkpoint_minutes=0"]
    # In the middle of the second epoch, there again; at its end, there again.
    for call in (5, 1, 2, 1):
        body = KILL.format(
            module="training.run_state", name="Checkpoints.save",
            call=call, signal="SIGKILL",
        )  # fmt: skip
        assert run_changed(body, *arguments).returncode == -signal.SIGKILL
        arguments = [f"--resume={run_dir}"]
    done = run_changed("", *arguments)
    assert done.returncode == 0, done.stderr
    assert results(run_dir) == whole


def test_what_has_changed_is_said(drawn_photos, tmp_path):
    data = shutil.copytree(drawn_photos, tmp_path / "photos")
    run_dir = tmp_path / "run"
    body = KILL.format(
        module="training.loop", name="_validate", call=2, signal="SIGTERM"
    )
    arguments = [f"--data={data}", *QUICK, f"--run_dir={run_dir}"]
    assert run_changed(body, *arguments).returncode == 128 + signal.SIGTERM
    next(data.glob("cat/*.jpg")).unlink()
    stopped = run_changed("", f"--resume={run_dir}", "--optimizer=sgd")
    assert stopped.returncode == 2
    assert "  --optimizer: was rmsprop, is sgd" in stopped.stderr
    assert "photos: was" in stopped.stderr
    assert "--resume_anyway" in stopped.stderr
    # More epochs, at a constant rate, change nothing of those before.
    done = run_changed(
        "", f"--resume={run_dir}", "--epochs=3", "--resume_anyway",
        "--learning_rate=1e-6",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "goes on, not as it would have" in done.stdout
    assert "--epochs: " not in done.stdout
    summary = json.loads((run_dir / "run.json").read_text())
    assert summary["epochs"] == 4
    with open(run_dir / "history.csv", newline="") as file:
        rates = [row["learning_rate"] for row in csv.DictReader(file)]
    assert rates[2:] == ["1e-06", "1e-06"]  # as is advised after a NaN


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--resume=nowhere"], "there is no nowhere/flags.txt"),
        (["--resume"], "there is no flags.txt"),
        (["--resume=empty", "--run_dir=x"], "not both"),
    ],
)
def test_mistakes(run_script, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "flags.txt").write_text("--seed=3\n")
    done = run_script("train.py", *arguments)
    assert done.returncode == 2 and message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_without_a_checkpoint_begins_again(tmp_path, whole):
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    flags = [x for x in QUICK if "vgg16_tiny" not in x]
    (run_dir / "flags.txt").write_text("\n".join(flags))
    done = run_changed("", f"--resume={run_dir}")
    assert done.returncode == 0, done.stderr
    assert "no checkpoint yet: the run begins again" in done.stdout
    assert results(run_dir) == whole


def test_a_full_disk_ends_it_and_it_goes_on_with_room(whole, tmp_path):
    run_dir = tmp_path / "run"

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    stopped = run_changed(
        "", *QUICK, f"--run_dir={run_dir}", "--cache_views=0",
        preexec_fn=little_room,
    )  # fmt: skip
    assert stopped.returncode == 1, stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert f"--resume={run_dir}" in stopped.stderr
    done = run_changed("", f"--resume={run_dir}")
    assert done.returncode == 0, done.stderr


def test_a_disk_that_is_plainly_too_small_is_said_at_once(tmp_path):
    body = (
        "import shutil\n"
        "usage = shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6)\n"
        "shutil.disk_usage = lambda path: usage"
    )
    run_dir = tmp_path / "run"
    done = run_changed(body, *QUICK, f"--run_dir={run_dir}", "--cache_views=0")
    assert done.returncode == 1
    assert "has 0.0 GB left. Free some" in done.stderr
    assert "Epoch" not in done.stdout


NAN = """
import numpy as np
import training.features as module
original, calls = module.frozen_features, [0]
def frozen_features(*args):
    calls[0] += 1
    outputs = original(*args)
    return tuple(np.full_like(x, np.nan) if calls[0] == 8 else x
                 for x in outputs)
module.frozen_features = frozen_features
"""


def test_a_nan_is_stopped_before_it_reaches_the_weights(drawn_photos, tmp_path):
    run_dir = tmp_path / "run"
    done = run_changed(
        NAN, f"--data={drawn_photos}", "--backbone=vgg16_tiny",
        "--image_size=32", "--batch_size=4", "--epochs=1", "--head_epochs=1",
        "--cache_views=0", f"--run_dir={run_dir}",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert re.search(
        r"no finite numbers in epoch 1, step 7 of the stage. The photos of "
        r"that step: (/\S+/(cat|dog)/00\d\d\.jpg, ){3}/\S+\.jpg\. The weights",
        done.stderr,
    )
    assert "--resume_anyway" in done.stderr and "Traceback" not in done.stderr
    checkpoint = Checkpoints(run_dir / "checkpoint").load()
    for array in checkpoint.variables.values():
        assert np.isfinite(array).all()
