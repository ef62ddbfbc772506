import ast

import pytest

from tests.conftest import ROOT

PACKAGES = (
    "augment",
    "evaluation",
    "formats",
    "input_pipeline",
    "model_zoo",
    "plots",
    "serving",
    "training",
)
# Who may import whom, besides itself and `errors`.
ALLOWED = {
    "augment": {"keras", "numpy"},
    "evaluation": {"numpy", "sklearn", "scipy"},
    # Besides each format's own packages.
    "formats": {"keras", "numpy", "tensorflow", "model_zoo"},
    "input_pipeline": {"numpy", "tensorflow", "keras", "PIL"},
    "model_zoo": {"keras", "numpy", "h5py"},
    "plots": {"numpy", "matplotlib"},
    "serving": set(),
    "training": {
        "keras",
        "numpy",
        "tensorflow",
        "sklearn",
        "scipy",
        "model_zoo",
        "augment",
    },
}
OTHERS = {
    "keras",
    "numpy",
    "tensorflow",
    "PIL",
    "matplotlib",
    "absl",
    "h5py",
    "sklearn",
    "scipy",
}
SCRIPTS = {path.stem for path in ROOT.glob("*.py")} - {"errors"}


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package):
    for path in (ROOT / package).glob("*.py"):
        ours = set(imported_modules(path)) & (OTHERS | SCRIPTS | set(PACKAGES))
        allowed = ALLOWED[package] | {package}
        if path.name == "grad_cam.py":
            # Keras has no gradient that all its backends know.
            allowed |= {"tensorflow"}
        assert ours <= allowed, path.name


def test_flags_are_defined_in_scripts_only():
    for package in PACKAGES:
        for path in (ROOT / package).glob("*.py"):
            assert "absl" not in imported_modules(path), path.name
