import csv
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import kill_and_resume
from benchmarks.kill_and_resume import compare, results
from tests.support.paths import ROOT
from thaw.demo.demo_set import draw_demo_set
from thaw.runs.writer import RunFolder
from thaw.training.checkpoints import Checkpoints

QUICK = ["--limit=60", "--image_size=32", "--backbone=vgg16_tiny",
         "--head_epochs=1", "--epochs=2", "--batch_size=8"]  # fmt: skip


def test_a_run_that_is_killed_ends_as_it_would_have(tmp_path, monkeypatch):
    """Five kills; `python -m benchmarks.kill_and_resume` does twenty."""
    train = [sys.executable, str(ROOT / "tests/support/quick_train.py")]
    monkeypatch.setattr(kill_and_resume, "TRAIN", train)
    arguments = [
        "--limit=120", "--image_size=48", "--checkpoint_minutes=0",
        "--head_epochs=2", "--epochs=4",
    ]  # fmt: skip
    equal, log = compare(tmp_path, 5, 0, arguments)
    assert equal, "\n".join(log)


def run_changed(
    body, *arguments, script="train.py", opened_anew=False, **options
):
    """Runs a script after `body`, which may change the project's modules."""
    if not opened_anew:
        install = "from tests.support import quick_train\nquick_train.install()"
        body = f"{install}\n{body}"
    code = (
        f"import os, runpy, signal, sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        f"{body}\nsys.argv[0] = {str(ROOT / script)!r}\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True, text=True, timeout=300, **options,
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
        ("thaw.training.state", "Checkpoints.save", 3, "SIGKILL"),
        ("thaw.training.checkpoints", "_link_or_copy", 1, "SIGKILL"),
        (
            "thaw.training.checkpoints",
            "os.rename",
            4,
            "SIGKILL",
        ),  # between stages
        ("thaw.runs.writer", "os.replace", 11, "SIGKILL"),
        ("thaw.training.loop", "_validate", 2, "SIGTERM"),
        ("thaw.training.stages", "train_epochs", 2, "SIGINT"),
        ("thaw.training.stages", "hash_layers", 2, "SIGHUP"),
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
            module="thaw.training.state", name="Checkpoints.save",
            call=call, signal="SIGKILL",
        )  # fmt: skip
        assert run_changed(body, *arguments).returncode == -signal.SIGKILL
        arguments = [f"--resume={run_dir}"]
    done = run_changed("", *arguments)
    assert done.returncode == 0, done.stderr
    assert results(run_dir) == whole


def test_without_the_cache_and_with_another_seed(tmp_path):
    """Same seed: the same to the last bit; another one: another run."""
    found = []
    for name, kill, seed in (
        ("whole", None, 3), ("killed", 5, 3), ("other", None, 4),
    ):  # fmt: skip
        run_dir = tmp_path / name
        arguments = [
            *QUICK, f"--run_dir={run_dir}", "--cache_views=0",
            "--checkpoint_minutes=0", f"--seed={seed}", "--optimizer=adamw",
        ]  # fmt: skip
        if kill:
            body = KILL.format(
                module="thaw.training.state", name="Checkpoints.save",
                call=kill, signal="SIGKILL",
            )  # fmt: skip
            stopped = run_changed(body, *arguments)
            assert stopped.returncode == -signal.SIGKILL
            arguments = [f"--resume={run_dir}"]
        done = run_changed("", *arguments)
        assert done.returncode == 0, done.stderr
        found.append(results(run_dir))
    assert found[0] == found[1]
    assert all(found[0][name] != found[2][name] for name in found[0])


def test_a_cache_that_is_gone_is_said(whole, tmp_path):
    """Without it each pass would see a view of its own."""
    run_dir = tmp_path / "run"
    body = KILL.format(
        module="thaw.training.loop", name="_validate", call=2, signal="SIGTERM"
    )
    arguments = [
        *QUICK, "--epochs=20", f"--run_dir={run_dir}", "--cache_limit_gb=0.001",
    ]  # fmt: skip
    assert run_changed(body, *arguments).returncode == 128 + signal.SIGTERM
    (tmp_path / "file").touch()
    stopped = run_changed(
        "", f"--resume={run_dir}", f"--cache_dir={tmp_path / 'file'}"
    )
    assert stopped.returncode == 2
    assert "views kept where the disk allows no more" in stopped.stderr


def test_a_rate_that_was_found_is_not_looked_for_again(tmp_path):
    arguments = [*QUICK, "--learning_rate=find", "--checkpoint_minutes=0"]
    run_dir = tmp_path / "whole"
    done = run_changed("", *arguments, f"--run_dir={run_dir}")
    assert done.returncode == 0, done.stderr
    expected = results(run_dir)
    run_dir = tmp_path / "run"
    body = KILL.format(
        module="thaw.training.loop", name="_validate", call=2, signal="SIGTERM"
    )
    stopped = run_changed(body, *arguments, f"--run_dir={run_dir}")
    assert stopped.returncode == 128 + signal.SIGTERM
    done = run_changed("", f"--resume={run_dir}")
    assert done.returncode == 0, done.stderr
    assert results(run_dir) == expected


def test_a_head_that_is_being_solved_can_be_stopped(tmp_path):
    run_dir = tmp_path / "run"
    body = KILL.format(
        module="thaw.cache.features", name="frozen_features", call=2,
        signal="SIGTERM",
    )  # fmt: skip
    stopped = run_changed(
        body, *QUICK, "--head=linear", "--cache_views=0",
        f"--run_dir={run_dir}",
    )  # fmt: skip
    assert stopped.returncode == 128 + signal.SIGTERM
    assert "Solved" not in stopped.stdout


def test_one_process_at_a_time(tmp_path):
    """It goes on from another folder, with photos named from the first."""
    run_dir = tmp_path / "run"
    body = KILL.format(
        module="thaw.training.loop", name="_validate", call=2, signal="SIGTERM"
    )
    draw_demo_set(tmp_path / "photos", photos_per_class=60)
    (tmp_path / "elsewhere").mkdir()
    arguments = ["--data=photos", *QUICK, "--run_dir=run"]
    stopped = run_changed(body, *arguments, cwd=tmp_path)
    assert stopped.returncode == 128 + signal.SIGTERM, stopped.stderr
    for leftover in (".history.csv.77777", ".saved.keras"):
        (run_dir / leftover).write_text("half")
    (run_dir / "checkpoint" / ".000009.77777").mkdir()
    other = RunFolder(run_dir)
    other.lock()
    refused = run_changed("", f"--resume={run_dir}", cwd=tmp_path / "elsewhere")
    assert refused.returncode == 2
    assert "Another process is at work" in refused.stderr
    os.close(other._lock)
    done = run_changed("", "-resume=../run", cwd=tmp_path / "elsewhere")
    assert done.returncode == 0, done.stderr
    assert not list(run_dir.glob(".*"))
    flags = (run_dir / "flags.txt").read_text()
    assert f"--data={tmp_path / 'photos'}\n" in flags


def test_a_run_without_its_stage_is_refused(tmp_path):
    run_dir = tmp_path / "run"
    body = KILL.format(
        module="thaw.training.loop", name="_validate", call=2, signal="SIGTERM"
    )
    stopped = run_changed(body, *QUICK, f"--run_dir={run_dir}")
    assert stopped.returncode == 128 + signal.SIGTERM
    refused = run_changed("", f"--resume={run_dir}", "--epochs=0")
    assert refused.returncode == 2
    assert "stages: was ['head', 'fine_tune'], is ['head']" in refused.stderr
    refused = run_changed(
        "", f"--resume={run_dir}", "--epochs=0", "--resume_anyway"
    )
    assert refused.returncode == 2
    assert "a stage that is not asked for any more" in refused.stderr


def test_what_has_changed_is_said(drawn_photos, tmp_path):
    data = shutil.copytree(drawn_photos, tmp_path / "photos")
    run_dir = tmp_path / "run"
    body = KILL.format(
        module="thaw.training.loop", name="_validate", call=2, signal="SIGTERM"
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
    assert "has 1 MB left. Free some" in done.stderr
    assert "Epoch" not in done.stdout


def test_a_read_only_disk_ends_it_and_says_how_to_go_on(whole, tmp_path):
    """As it may become in the middle of a run, after an error of the disk."""
    body = (
        "import errno\nimport thaw.training.checkpoints as module\n"
        "original, calls = os.rename, [0]\n"
        "def rename(source, target):\n"
        "    calls[0] += 1\n"
        "    if calls[0] > 2:\n"
        "        raise OSError(errno.EROFS, os.strerror(errno.EROFS), source)\n"
        "    return original(source, target)\n"
        "module.os.rename = rename"
    )
    run_dir = tmp_path / "run"
    stopped = run_changed(body, *QUICK, f"--run_dir={run_dir}")
    assert stopped.returncode == 1, stopped.stderr
    assert "Read-only file system" in stopped.stderr
    assert f"python train.py --resume={run_dir}" in stopped.stderr
    done = run_changed("", f"--resume={run_dir}")
    assert done.returncode == 0, done.stderr
    assert results(run_dir) == whole


def test_too_little_memory_is_said(tmp_path):
    """As of a GPU; TensorFlow says the same of a CPU."""
    body = (
        "import tensorflow as tf\nimport thaw.training.stages as module\n"
        "def train_epochs(*args, **kwargs):\n"
        "    raise tf.errors.ResourceExhaustedError(None, None, 'OOM')\n"
        "module.train_epochs = train_epochs"
    )
    run_dir = tmp_path / "run"
    done = run_changed(body, *QUICK, f"--run_dir={run_dir}")
    assert done.returncode == 1, done.stderr
    assert "not enough memory for --batch_size=8" in done.stderr
    assert "Traceback" not in done.stderr


NAN = """
import numpy as np
import thaw.cache.features as module
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
        r"no finite numbers in stage head, epoch 1, step 8 of the stage. The "
        r"photos of that step: (/\S+/(cat|dog)/00\d\d\.jpg, ){3}/\S+\.jpg\. ",
        done.stderr,
    )
    assert done.stderr.endswith(
        f"python train.py --resume={run_dir} --head_learning_rate=0.0001 "
        "--resume_anyway\n"
    )
    assert "Traceback" not in done.stderr
    checkpoint = Checkpoints(run_dir / "checkpoint").load()
    for array in checkpoint.variables.values():
        assert np.isfinite(array).all()


def test_a_report_that_is_stopped_can_be_made_alone(run_script, tmp_path):
    body = (
        "import thaw.evaluation.label_noise as module\n"
        "def find_suspected(*args):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "module.find_suspected = find_suspected"
    )
    run_dir = tmp_path / "run"
    stopped = run_changed(
        body, *QUICK, f"--run_dir={run_dir}",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert stopped.returncode == 130, stopped.stderr
    assert f"python evaluate.py {run_dir}" in stopped.stderr
    assert (run_dir / "run.json").exists()
    assert not (run_dir / "checkpoint").exists()
    done = run_script("evaluate.py", run_dir)
    assert done.returncode == 0, done.stderr
    assert (run_dir / "report.html").exists()
