"""`import thaw`: its names, their docstrings, and mistakes in their use."""

import importlib
import inspect
import json
import pkgutil
import shutil
import subprocess
import sys

import pytest
from absl import flags

import thaw
from tests.support.examples import code_of, run_example
from tests.support.paths import ROOT
from thaw.errors import UserError

SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py"))
FUNCTIONS = [
    thaw.build_model,
    thaw.check_photos,
    thaw.compare,
    thaw.estimate_run,
    thaw.fine_tune,
    thaw.image_datasets,
    thaw.load_run,
]
CLASSES = [thaw.Run, thaw.TrainConfig]
IMPORT = """
import sys, time
start = time.perf_counter()
import thaw
seconds = time.perf_counter() - start
thaw.TrainConfig, thaw.UserError, thaw.__version__, dir(thaw)
print(seconds, *{name.split(".")[0] for name in sys.modules})
"""


@pytest.fixture
def imported_scripts(monkeypatch):
    """The modules of the seven scripts, imported one after the other."""
    monkeypatch.syspath_prepend(ROOT)
    yield [importlib.import_module(name) for name in SCRIPTS]
    for name in SCRIPTS:
        del sys.modules[name]


def import_times():
    """Yields seconds that `import thaw` took, and what is imported then."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", IMPORT],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        seconds, *modules = done.stdout.split()
        yield float(seconds), set(modules)


def test_importing_thaw_is_quick_and_imports_neither_keras_nor_numpy():
    times, modules = zip(*import_times(), strict=True)
    assert min(times) < 0.2
    slow = {"absl", "keras", "matplotlib", "numpy", "tensorflow"}
    assert modules[0] & slow == set()  # without absl there is no flag


def test_all_scripts_are_imported_in_one_process(imported_scripts):
    before = set(flags.FLAGS)
    train = imported_scripts[SCRIPTS.index("train")]
    assert [module.__name__ for module in imported_scripts] == SCRIPTS
    from model_zoo import build_model

    assert train.build_model is build_model is thaw.build_model
    assert set(flags.FLAGS) == before
    with pytest.raises(AttributeError, match="no attribute 'build_models'"):
        _ = train.build_models


def test_scripts_define_no_flag_and_import_no_keras():
    code = (
        "import sys, " + ", ".join(SCRIPTS) + "\n"
        "from absl import flags; print(*flags.FLAGS, *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    known = set(done.stdout.split())
    assert known & set(thaw.TrainConfig().to_dict()) == set()
    assert known & {"keras", "numpy"} == set()


def test_each_public_name_is_one_object_whatever_was_imported():
    assert thaw.__all__ == sorted(thaw.__all__)
    before = {name: getattr(thaw, name) for name in thaw.__all__}
    for module in pkgutil.walk_packages(thaw.__path__, "thaw."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    for name, value in before.items():
        assert getattr(thaw, name) is value, name
        assert not inspect.ismodule(value)
    assert set(thaw.__all__) <= set(dir(thaw))
    with pytest.raises(AttributeError, match="no attribute 'finetune'"):
        _ = thaw.finetune


def test_no_module_has_the_name_of_a_public_function():
    modules = {module.name for module in pkgutil.iter_modules(thaw.__path__)}
    assert modules & set(thaw.__all__) == set()


@pytest.mark.parametrize("thing", FUNCTIONS + CLASSES)
def test_each_docstring_has_an_example(thing):
    compile(code_of(thing), thing.__name__, "exec")
    if inspect.isfunction(thing):
        text = inspect.getdoc(thing)
        assert "Raises:\n" in text
        for name in inspect.signature(thing).parameters:
            assert f"{name}:" in text or f"{name}," in text, name


@pytest.mark.slow
def test_the_examples_run_one_after_the_other(
    drawn_photos, tmp_path, monkeypatch
):
    """A folder with a photo, and runs beside each other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(thaw.fine_tune.__kwdefaults__, "verify", False)
    run = run_example(thaw.fine_tune)["run"]
    shutil.copy(next(drawn_photos.glob("cat/*.jpg")), "photo.jpg")
    run_example(thaw.Run)
    for name in ("first", "second"):
        shutil.copytree(run.path, f"runs/{name}")
    loaded = run_example(thaw.load_run)["run"]
    assert loaded.class_names == run.class_names == ("cat", "dog")
    comparison = run_example(thaw.compare)["comparison"]
    assert len(comparison.runs) == 2 and (tmp_path / "compare.png").exists()
    longer = run_example(thaw.TrainConfig)["longer"]
    assert longer.given == {"data", "unfreeze_from", "epochs"}
    run_example(thaw.build_model)
    assert (tmp_path / "cats_vs_dogs.keras").exists()


def refused(call, *arguments, **options):
    """Returns the message of the `UserError` that a call raises."""
    with pytest.raises(UserError) as error:
        call(*arguments, **options)
    assert isinstance(error.value, ValueError)
    return str(error.value)


def one_line(run_script, *arguments):
    """Returns the line that a script prints to stderr, of exit status 2."""
    process = run_script(*arguments)
    assert process.returncode == 2 and process.stdout == ""
    assert process.stderr.count("\n") == 1, process.stderr
    return process.stderr


def test_an_unknown_option_names_the_nearest(run_script):
    message = refused(thaw.fine_tune, epoch=3)
    assert message == "Unknown option `epoch`. Did you mean `epochs`?"
    line = one_line(run_script, "train.py", "--epoch=3")
    assert "Unknown flag --epoch. Did you mean --epochs?" in line


def test_a_value_out_of_bounds_says_what_was_expected(run_script):
    expected = "must be a finite number from 0.01 to 0.99. Received: 1.5"
    message = refused(thaw.fine_tune, validation_fraction=1.5)
    assert message == f"`validation_fraction` {expected}"
    assert refused(thaw.TrainConfig, validation_fraction=1.5) == message
    line = one_line(run_script, "train.py", "--validation_fraction=1.5")
    assert line.startswith(f"train.py: --validation_fraction {expected} (")


def test_config_or_options_not_both(run_script):
    config = thaw.TrainConfig(epochs=3)
    for more in ({"epochs": 4}, {"data": "photos"}):
        message = refused(thaw.fine_tune, config=config, **more)
        assert "Give `config`, or options, not both" in message
        assert f"`{next(iter(more))}`" in message
        assert "dataclasses.replace" in message
    line = one_line(run_script, "train.py", "--resume=a", "--run_dir=b")
    assert "Give --resume or --run_dir, not both" in line


OF_A_RUN = [
    ("predict.py", "photo.jpg"),
    ("evaluate.py",),
    ("export.py",),
    ("serve.py", "--port=0"),
]


@pytest.mark.parametrize("command", OF_A_RUN, ids=lambda x: x[0])
def test_a_folder_that_is_no_run(run_script, tmp_path, command):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photo.jpg").touch()
    for name in ("photos", "none"):
        message = refused(thaw.load_run, tmp_path / name)
        assert str(tmp_path / name) in message
        script, *arguments = command
        line = one_line(run_script, script, tmp_path / name, *arguments)
        assert str(tmp_path / name) in line
    assert "none" in refused(thaw.compare, tmp_path / "none")
    one_line(run_script, "compare.py", tmp_path / "none")


@pytest.mark.parametrize("command", OF_A_RUN, ids=lambda x: x[0])
def test_a_run_of_a_newer_thaw(run_script, trained_run, tmp_path, command):
    run_dir = shutil.copytree(trained_run, tmp_path / "run")
    (tmp_path / "photo.jpg").touch()
    summary = json.loads((run_dir / "run.json").read_text())
    (run_dir / "run.json").write_text(json.dumps(summary | {"format": 3}))
    expected = "run.json was written by a newer Thaw (format 3). Update Thaw"
    assert expected in refused(thaw.load_run, run_dir)
    assert expected in refused(thaw.compare, run_dir, trained_run)
    script, *arguments = command
    assert expected in one_line(run_script, script, run_dir, *arguments)
