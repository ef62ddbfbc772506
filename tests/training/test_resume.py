import contextlib
import csv
import errno
import json
import os
import re
import shutil
import signal
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import thaw
from benchmarks.kill_and_resume import hashes
from tests.support.interrupted import (
    QUICK,
    Killed,
    at_call,
    kill,
    killed_process,
)
from tests.support.training import results, resume
from tests.support.training import train as train_stages
from thaw.cache import features
from thaw.cache.frozen_part import FrozenPart
from thaw.errors import (
    MachineError,
    NotFinite,
    NotVerified,
    Stopped,
    UserError,
)
from thaw.runs.writer import RunFolder
from thaw.training import loop, state, verification
from thaw.training.checkpoints import Checkpoints
from thaw.training.interruption import request_stop

# Each of these is a run or two.
pytestmark = pytest.mark.slow

VALIDATE = ("thaw.training.loop", "_validate")
SAVE = ("thaw.training.state", "Checkpoints.save")
REPORT = ("thaw.reports.report", "make_page", 1)


def train(run_dir, **options):
    return train_stages(run_dir, **QUICK | options)


def fine_tune(run_dir, **options):
    """The same, with proof and report."""
    options = {"verify": False, "verbose": 0, **QUICK, **options}
    return thaw.fine_tune(run_dir=run_dir, **options)


def stopped_run(run_dir, **options):
    """Stops a run in the validation of its second epoch."""
    with at_call(*VALIDATE, 2, lambda: request_stop(signal.SIGINT)):
        with pytest.raises(Stopped) as stopped:
            train(run_dir, **options)
    return stopped.value


def finish(run_dir, **options):
    """Goes on with a run to its end, with its report."""
    options = {"verify": False, "verbose": 0, **options}
    return thaw.fine_tune(run_dir=run_dir, resume=True, **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The results of the quick run, without interruption."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    train(run_dir)
    return results(run_dir)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that was stopped in its second epoch, and what it said."""
    run_dir = tmp_path_factory.mktemp("stopped") / "run"
    return run_dir, stopped_run(run_dir)


@pytest.fixture
def stopped_dir(stopped, tmp_path):
    """A copy of it."""
    return shutil.copytree(stopped[0], tmp_path / "run")


def killed_in_report(run_dir, **options):
    with at_call(*REPORT, kill), pytest.raises(Killed):
        fine_tune(run_dir, **options)
    return run_dir


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that has trained, and was killed while its report was made."""
    return killed_in_report(tmp_path_factory.mktemp("trained") / "run")


@pytest.fixture
def trained_dir(trained, tmp_path):
    """A copy of it."""
    return shutil.copytree(trained, tmp_path / "run")


@pytest.mark.process
@pytest.mark.parametrize(
    "module, name, call",
    [
        (*SAVE, 3),
        ("thaw.training.checkpoints", "written_beside", 4),  # between stages
    ],
)
def test_a_process_that_is_killed_ends_as_it_would_have(
    whole, tmp_path, module, name, call
):
    run_dir = tmp_path / "run"
    killed_process(run_dir, module, name, call, **QUICK)
    resume(run_dir)
    assert results(run_dir) == whole
    assert not list(run_dir.glob(".*"))


def check_it_is_ended(run_dir, epochs=2):
    """Resumes a run of which proof and report are left: nothing trains."""
    assert (run_dir / "checkpoint").exists()
    assert not (run_dir / "run.json").exists()
    before = (run_dir / "history.csv").read_bytes()
    trains = ("thaw.training.fit", "train_epochs", 1)
    with at_call(*trains, lambda: pytest.fail("it trains")):
        run = finish(run_dir)
    assert (run_dir / "history.csv").read_bytes() == before
    assert run.summary["epochs"] == 1 + epochs
    assert run.summary["state_sha256"]
    assert (run_dir / "report.html").exists()
    assert not (run_dir / "checkpoint").exists()


def test_a_run_killed_in_its_report_is_not_ended(trained_dir):
    check_it_is_ended(trained_dir)


def test_nor_is_one_without_a_fine_tune_stage(tmp_path):
    run_dir = killed_in_report(tmp_path / "run", epochs=0)
    check_it_is_ended(run_dir, epochs=0)


def test_nor_is_one_killed_in_the_proof_then_before_run_json(
    trained_dir, monkeypatch
):
    fake_check(monkeypatch, lambda _: kill())
    with pytest.raises(Killed):
        finish(trained_dir, verify=True)
    assert not (trained_dir / "run.json").exists()
    save_summary = ("thaw.runs.writer", "RunFolder.save_summary", 1)
    with at_call(*save_summary, kill), pytest.raises(Killed):
        finish(trained_dir)
    check_it_is_ended(trained_dir)


def test_a_run_that_is_ended_loses_its_checkpoint(trained_dir):
    place = ("thaw.training.checkpoints", "Checkpoints.remove", 1)
    with at_call(*place, kill), pytest.raises(Killed):
        finish(trained_dir)
    assert (trained_dir / "checkpoint").exists()
    assert (trained_dir / "run.json").exists()
    with pytest.raises(UserError, match="is finished"):
        resume(trained_dir)
    assert not (trained_dir / "checkpoint").exists()


def fake_check(monkeypatch, compare):
    """A check of model.keras that starts no process: test_verify.py does."""
    check = SimpleNamespace(open=lambda *_: None, compare=compare)
    monkeypatch.setattr(
        verification,
        "FreshProcessCheck",
        lambda: contextlib.nullcontext(check),
    )


def test_a_file_that_is_wrong_is_written_once_more(
    trained_dir, monkeypatch, capsys
):
    path, differences = trained_dir / "model.keras", []
    right = keras.saving.load_model(path).get_weights()

    def compare(model):
        saved = keras.saving.load_model(path)
        if not differences:
            saved.get_layer("head_output").bias.assign_add([0.5])
            RunFolder(trained_dir).save_model(saved, ["cat", "dog"])
        differences.append(
            max(
                np.abs(x - y).max()
                for x, y in zip(
                    keras.saving.load_model(path).get_weights(),
                    right,
                    strict=True,
                )
            )
        )
        if differences[-1]:
            raise NotVerified("They differ.")
        return 0.0

    fake_check(monkeypatch, compare)
    run = finish(trained_dir, verify=True)
    assert run.summary["verified"]["largest_difference"] == 0
    assert differences == pytest.approx([0.5, 0])
    assert "It is written once more" in capsys.readouterr().err


def test_one_that_stays_wrong_fails_the_run(trained_dir, monkeypatch):
    """And can be proved again."""

    def compare(_):
        raise NotVerified("Do not use it.")

    fake_check(monkeypatch, compare)
    with pytest.raises(NotVerified, match="Do not use it") as error:
        finish(trained_dir, verify=True)
    assert f"train.py --resume={trained_dir}" in str(error.value)
    monkeypatch.undo()
    check_it_is_ended(trained_dir)


def test_killed_again_and_again(whole, tmp_path):
    run_dir, call = tmp_path / "run", train
    for place in (
        ("thaw.training.checkpoints", "_link_or_copy", 1),
        # In the middle of the second epoch, there again; at its end, there
        # again.
        (*SAVE, 2),
        (*SAVE, 1),
        (*SAVE, 2),
        (*SAVE, 1),
        ("thaw.runs.writer", "write_csv", 1),
    ):
        with at_call(*place, kill), pytest.raises(Killed):
            call(run_dir)
        call = resume
    resume(run_dir)
    assert results(run_dir) == whole


def test_a_run_that_is_asked_to_stop_goes_on(whole, stopped, stopped_dir):
    run_dir, error = stopped
    assert error.status == 130
    message = str(error)
    assert message.startswith("Stopped by Ctrl-C. ")
    assert message.endswith(f"Resume: python train.py --resume={run_dir}")
    resume(stopped_dir)
    assert results(stopped_dir) == whole


def test_a_run_that_is_asked_to_stop_between_epochs_goes_on(whole, tmp_path):
    run_dir, call = tmp_path / "run", train
    for place in (
        ("thaw.training.fit", "train_epochs", 2),
        ("thaw.training.stages", "hash_layers", 1),
    ):
        with at_call(*place, lambda: request_stop(signal.SIGTERM)):
            with pytest.raises(Stopped) as stopped:
                call(run_dir)
        assert stopped.value.status == 143
        call = resume
    resume(run_dir)
    assert results(run_dir) == whole


def test_checkpoints_take_a_hundredth_of_the_time_at_most(
    whole, tmp_path, monkeypatch
):
    """By a clock in which each takes 1 s, and nothing else takes any."""
    run_dir, now, saved = tmp_path / "run", 0.0, []
    save, end_of_epoch = Checkpoints.save, loop.end_of_epoch

    def save_slowly(self, variables, state, model):
        nonlocal now
        now += 1.0
        saved.append((state["position"]["epoch"], state["done"]))
        save(self, variables, state, model)

    def end_after_50_s(*args):
        nonlocal now
        now += 50.0
        end_of_epoch(*args)

    monkeypatch.setattr(Checkpoints, "save", save_slowly)
    monkeypatch.setattr(loop, "end_of_epoch", end_after_50_s)
    monkeypatch.setattr(
        state, "time", SimpleNamespace(perf_counter=lambda: now)
    )
    train(run_dir, checkpoint_minutes=5, epochs=5)
    # The start and end of each stage, and when 100 s have passed.
    assert [epoch for epoch, _ in saved] == [0, 1, 1, 3, 5, 6]


def test_without_the_cache_it_ends_as_it_would_have_too(tmp_path):
    options = {"cache_views": 0, "seed": 3, "optimizer": "adamw", "epochs": 1}
    train(tmp_path / "whole", **options)
    with at_call(*SAVE, 4, kill), pytest.raises(Killed):
        train(tmp_path / "killed", **options)
    resume(tmp_path / "killed")
    assert results(tmp_path / "whole") == results(tmp_path / "killed")


def test_a_machine_that_has_changed_is_a_warning(
    whole, stopped_dir, monkeypatch, capsys
):
    monkeypatch.setattr(
        "thaw.training.conditions.processor_name", lambda: "Another"
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    resume(stopped_dir)
    said = capsys.readouterr().err
    assert "not bit for bit" in said and ", is Another" in said
    assert "OMP_NUM_THREADS: was " in said and ", is 7" in said
    assert results(stopped_dir) == whole


def test_a_cache_that_is_gone_is_said(tmp_path, capsys):
    """Without it each pass sees a view of its own."""
    run_dir = tmp_path / "run"
    stopped_run(run_dir, epochs=20, cache_limit_gb=0.001)
    (tmp_path / "file").touch()
    with at_call(*SAVE, 1, kill), pytest.raises(Killed):
        resume(run_dir, cache_dir=tmp_path / "file")
    assert "cached views where the disk has room" in capsys.readouterr().err


def test_a_rate_that_was_found_is_not_looked_for_again(tmp_path):
    stopped_run(tmp_path / "run", learning_rate="find", epochs=1)
    range_test = ("thaw.training.lr_finder", "range_test", 1)
    with at_call(*range_test, lambda: pytest.fail("it is looked for")):
        training = resume(tmp_path / "run")
    head, fine_tune = training.history.epochs
    rates = training.history.learning_rates["head"]
    assert fine_tune["learning_rate"] == rates[-1] > 1e-7


def test_a_head_that_is_being_solved_can_be_stopped(tmp_path):
    place = ("thaw.cache.frozen_part", "FrozenPart.__call__", 2)
    with at_call(*place, lambda: request_stop(signal.SIGTERM)):
        with pytest.raises(Stopped) as stopped:
            train(tmp_path / "run", head="linear", cache_views=0)
    assert stopped.value.status == 143
    assert not (tmp_path / "run" / "history.csv").exists()


def test_one_process_at_a_time(drawn_photos, tmp_path, monkeypatch):
    """It goes on from another folder, with photos named from the first."""
    run_dir = tmp_path / "run"
    shutil.copytree(drawn_photos, tmp_path / "photos")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    stopped_run("run", data="photos", limit=None)
    for leftover in (".history.csv.77777", ".saved.keras"):
        (run_dir / leftover).write_text("half")
    (run_dir / "checkpoint" / ".000009.77777").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with RunFolder(run_dir).lock():
        with pytest.raises(UserError, match="Another process is using"):
            resume(run_dir)
    resume("../run")
    assert not list(run_dir.glob(".*"))
    flags = (run_dir / "flags.txt").read_text()
    assert f"--data={tmp_path / 'photos'}\n" in flags


def test_a_run_without_its_stage_is_refused(stopped_dir):
    for anyway in (False, True):
        with pytest.raises(UserError, match="`epochs=0`"):
            resume(stopped_dir, epochs=0, anyway=anyway)


def test_what_has_changed_is_said(drawn_photos, tmp_path, capsys):
    data = shutil.copytree(drawn_photos, tmp_path / "photos")
    run_dir = tmp_path / "run"
    stopped_run(run_dir, data=data, limit=None, schedule="constant")
    next(data.glob("cat/*.jpg")).unlink()
    with pytest.raises(UserError) as error:
        resume(run_dir, optimizer="sgd")
    message = str(error.value)
    assert "  `optimizer`: was adam, is sgd" in message
    assert "training photos: was" in message
    assert "`resume_anyway`" in message
    # More epochs, at a constant rate, change nothing of those before.
    resumed = resume(run_dir, epochs=3, anyway=True, learning_rate=1e-6)
    said = capsys.readouterr().err
    assert "not bit for bit" in said and "`epochs`" not in said
    assert len(resumed.history.epochs) == 4
    with open(run_dir / "history.csv", newline="") as file:
        rates = [row["learning_rate"] for row in csv.DictReader(file)]
    assert rates[2:] == ["1e-06", "1e-06"]  # as is advised after a NaN


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--resume=nowhere"], "there is no nowhere/flags.txt"),
        (["--resume=empty", "--run_dir=x"], "not both"),
        (["--resume=empty", "--epoch=3"], "Did you mean --epochs?"),
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
    flags = thaw.TrainConfig(**QUICK).to_flags()
    (run_dir / "flags.txt").write_text("\n".join(flags))
    resume(run_dir)
    assert results(run_dir) == whole


def test_a_disk_that_is_plainly_too_small_is_said_at_once(
    tmp_path, monkeypatch
):
    usage = shutil._ntuple_diskusage(10**9, 10**9 - 10**6, 10**6)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(MachineError, match="has 1 MB left. Free some"):
        train(tmp_path / "run", cache_views=0)
    assert not (tmp_path / "run" / "history.csv").exists()


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_a_disk_that_fails_ends_it_and_says_how_to_go_on(
    whole, tmp_path, number
):
    """As it may in the middle of a run, full or after an error."""

    def fail():
        raise OSError(number, os.strerror(number), str(tmp_path / "run/file"))

    run_dir = tmp_path / "run"
    with at_call("thaw.training.checkpoints", "written_beside", 3, fail):
        with pytest.raises(MachineError) as error:
            train(run_dir)
    message = str(error.value)
    assert f"Cannot write to {run_dir}: {os.strerror(number)}." in message
    assert f"python train.py --resume={run_dir}" in message
    if number == errno.ENOSPC:
        resume(run_dir)
        assert results(run_dir) == whole


def test_too_little_memory_is_said(tmp_path):
    """As of a GPU; TensorFlow says the same of a CPU."""

    def fail():
        raise tf.errors.ResourceExhaustedError(None, None, "OOM")

    with at_call("thaw.training.fit", "train_epochs", 1, fail):
        with pytest.raises(MachineError, match="memory for `batch_size=8`"):
            train(tmp_path / "run")


def test_a_nan_is_stopped_before_it_reaches_the_weights(
    drawn_photos, tmp_path, monkeypatch
):
    original, calls = FrozenPart.__call__, 0

    def call(*args):
        nonlocal calls
        calls += 1
        outputs = original(*args)
        if calls == 8:
            return tuple(np.full_like(x, np.nan) for x in outputs)
        return outputs

    monkeypatch.setattr(FrozenPart, "__call__", call)
    # One after the other: the eighth call is the eighth batch.
    monkeypatch.setattr(features, "map_side_by_side", map)
    run_dir = tmp_path / "run"
    with pytest.raises(NotFinite) as error:
        train(
            run_dir, data=drawn_photos, limit=None, batch_size=4, epochs=1,
            cache_views=0,
        )  # fmt: skip
    message = str(error.value)
    assert error.value.stage == "head"
    assert re.search(
        r"became NaN or Inf \(stage head, epoch 1, step 8 of the stage\)\. "
        r"Photos in that batch: (/\S+/(cat|dog)/00\d\d\.jpg, ){3}/\S+\.jpg\. ",
        message,
    )
    assert message.endswith(
        f"python train.py --resume={run_dir} --head_learning_rate=0.0001 "
        "--resume_anyway"
    )
    checkpoint = Checkpoints(run_dir / "checkpoint").load()
    for array in checkpoint.variables.values():
        assert np.isfinite(array).all()


def test_a_loss_that_is_nan_at_the_end_of_an_epoch(tmp_path, monkeypatch):
    from thaw.training.history import History

    add_epoch = History.add_epoch

    def changed(self, logs, *args):
        if self.epochs:
            logs = logs | {"loss": float("nan")}
        return add_epoch(self, logs, *args)

    monkeypatch.setattr(History, "add_epoch", changed)
    with pytest.raises(NotFinite) as error:
        train(tmp_path / "run")
    assert "The loss became NaN or Inf (stage fine_tune" in str(error.value)
    assert "--learning_rate=1e-05 --resume_anyway" in str(error.value)
    assert "Kept epoch 1 of 2 (head)" in str(error.value)


def test_a_better_epoch_after_the_last_checkpoint_is_kept(
    whole, tmp_path, monkeypatch
):
    """It is written when the run fails, and the run ends as it would have."""
    # However long an epoch takes, none is due after it.
    monkeypatch.setattr("thaw.training.state._SHARE", 1e-9)
    run_dir = tmp_path / "run"
    place = ("thaw.training.loop", "end_of_epoch", 3)
    with at_call(*place, lambda: os.stat(tmp_path / "gone")):
        with pytest.raises(OSError):
            train(run_dir, checkpoint_minutes=5)
    before = Checkpoints(run_dir / "checkpoint").load().state
    assert before["position"]["epoch"] == before["best"]["row"]["epoch"] == 1
    assert hashes(run_dir)["weights"] == whole["weights"]
    resume(run_dir)
    assert results(run_dir) == whole


def test_a_frozen_weight_that_moves_fails_the_run(tmp_path):
    def move(epoch, logs):
        bias = callback.model.get_layer("block2_conv1").bias
        bias.assign(bias + 1e-7)

    callback = keras.callbacks.LambdaCallback(on_epoch_end=move)
    with pytest.raises(NotVerified, match="Frozen weights moved"):
        fine_tune(tmp_path / "run", callbacks=[callback])
    assert not (tmp_path / "run" / "run.json").exists()


def test_callbacks_of_a_resumed_run_are_warned_of(stopped_dir, capsys):
    finish(stopped_dir, callbacks=[keras.callbacks.TerminateOnNaN()])
    assert "The state of callbacks" in capsys.readouterr().err
    assert json.loads((stopped_dir / "run.json").read_text())


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        # Of an older Thaw, in which 10 comes before 2.
        (["0", "1", "10", "2"], ("0", "1", "10", "2")),
        # With `rare_classes=drop`: others are left out again.
        (["0", "2", "10"], ("0", "1", "2", "10")),
    ],
)
def test_a_resumed_run_keeps_its_order_of_classes(
    before, expected, tmp_path, monkeypatch
):
    folder, found = RunFolder.create(tmp_path / "run"), []
    for name in ("0", "1", "2", "10"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "1.jpg").touch()
    folder.save_flags([f"--data={tmp_path}/data"])
    folder.save_class_names(before)

    def begin(config, inspect, *_):
        found.extend(inspect())
        raise UserError("far enough")

    monkeypatch.setattr("thaw.training.begin.begin", begin)
    with pytest.raises(UserError, match="far enough"):
        finish(folder.path)
    assert found[0].class_names == expected


def test_a_run_whose_logits_are_divided_goes_on_undivided(tmp_path):
    train(tmp_path / "whole", temperature=2.0)
    stopped_run(tmp_path / "run", temperature=2.0)
    resume(tmp_path / "run")
    assert results(tmp_path / "run") == results(tmp_path / "whole")
