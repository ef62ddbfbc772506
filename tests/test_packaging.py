"""Requirements, their exact versions, and the package as it is installed."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement

import thaw
from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = ("augment", "model_zoo", "plots", "recipes", "thaw")
COMMANDS = [path.stem for path in ROOT.glob("*.py")]
OLDEST_SETUPTOOLS = 77  # the first that knows a license by its name
BUILD = """
import sys
from setuptools import build_meta
print(build_meta.build_wheel(sys.argv[1]))
"""


def requirements(lines):
    lines = [line.split("#")[0].strip() for line in lines]
    return [Requirement(line) for line in lines if line]


def test_every_requirement_has_an_exact_version_that_fits():
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    exact = {x.name: x.specifier for x in requirements(constraints)}
    wanted = (ROOT / "requirements.txt").read_text().splitlines()
    wanted += PROJECT["build-system"]["requires"]
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted += extra
    for requirement in requirements(wanted):
        if requirement.name == PROJECT["project"]["name"]:
            continue
        (version,) = exact[requirement.name]
        assert version.operator == "=="
        assert version.version in requirement.specifier, requirement


def test_constraints_are_the_same_on_every_python():
    assert ";" not in (ROOT / "constraints.txt").read_text()


def run(*command, cwd):
    """Runs a command, to which the repository is unknown."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [x for x in paths if x and not Path(x, "thaw").exists()]
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=400,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built offline."""
    version = importlib.metadata.version("setuptools")
    if int(version.split(".")[0]) < OLDEST_SETUPTOOLS:
        pytest.skip("setuptools is older than constraints.txt says")
    tree = tmp_path_factory.mktemp("tree")  # building leaves files behind
    for name in PACKAGES:
        shutil.copytree(ROOT / name, tree / name)
    for path in (*ROOT.glob("*.*"), ROOT / "LICENSE"):
        if path.is_file():
            shutil.copy(path, tree)
    done = run(sys.executable, "-c", BUILD, tree / "dist", cwd=tree)
    assert done.returncode == 0, done.stderr
    return tree / "dist" / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel: its `place`, `python` and `thaw`.

    It finds all else in the environment of the tests.
    """
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=True, symlinks=True)
    base = {"base": str(place), "platbase": str(place)}
    paths = sysconfig.get_paths("venv", base)
    python, script = (Path(paths["scripts"], x) for x in ("python", "thaw"))
    done = run(
        python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
        "--no-index", "--no-deps", wheel, cwd=place,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # Of a folder that is named in a .pth file, those in it don't count: an
    # editable Thaw stays out.
    theirs = {sysconfig.get_path(x) for x in ("purelib", "platlib")}
    path_file = Path(paths["purelib"], "of_the_tests.pth")
    path_file.write_text("\n".join(sorted(theirs)))
    return SimpleNamespace(place=place, python=python, thaw=script)


@pytest.mark.slow
def test_the_wheel_holds_the_packages_and_their_files(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = {x for x in file.namelist() if ".dist-info/" not in x}
    assert names == {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert wheel.name.startswith(f"keras_thaw-{thaw.__version__}-")


@pytest.mark.slow
def test_it_is_imported_from_an_empty_folder(installed, tmp_path):
    code = "import thaw, model_zoo, recipes; print(thaw.__file__, thaw.Run)"
    done = run(installed.python, "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path, name = done.stdout.split(maxsplit=1)
    assert Path(path).is_relative_to(installed.place)
    assert name == "<class 'thaw.run.Run'>\n"
    code = "import importlib.util; print(importlib.util.find_spec('train'))"
    assert run(installed.python, "-c", code, cwd=tmp_path).stdout == "None\n"


@pytest.mark.slow
def test_the_command_works_from_an_empty_folder(installed, tmp_path):
    def thaw_command(*arguments):
        return run(installed.thaw, *arguments, cwd=tmp_path)

    done = thaw_command("--help")
    assert done.returncode == 0
    assert set(COMMANDS) <= set(done.stdout.replace("|", " ").split())
    done = thaw_command("train", "--list_backbones")
    assert done.returncode == 0 and "vgg16_tiny" in done.stdout
    recipe = "--flagfile=recipes/vgg16_linear_head.flags"
    done = thaw_command("train", recipe, "--data=photos")
    assert done.returncode == 2
    assert done.stderr.startswith("thaw train: --data: photos does not exist")
    for name in COMMANDS:
        assert thaw_command(name, "--help").returncode == 0, name


@pytest.mark.slow
@pytest.mark.process
def test_a_run_is_made_in_an_empty_folder(installed, drawn_photos, tmp_path):
    done = run(
        installed.thaw, "train", "--data", drawn_photos,
        "--backbone=vgg16_tiny", "--head_epochs=1", "--epochs=1",
        "--image_size=32", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "runs" / "latest" / "report.html").exists()
