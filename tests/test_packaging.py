"""What is installed, and in which versions."""

import tomllib

from packaging.requirements import Requirement

from tests.support.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


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
