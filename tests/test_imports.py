"""Rules on what may be imported and called where, read off the sources."""

import ast
import functools

import pytest

from tests.support.paths import ROOT

OURS = ("augment", "model_zoo", "plots", "thaw")

# Packages and modules of thaw/ by level. Each may import those of the levels
# below it; those of one level don't know each other.
LEVELS = (
    {"cli"},
    {"comparison", "estimation", "feature_parts", "fine_tuning", "run"},
    {"search"},
    {
        "evaluation",
        "exporting",
        "prediction_files",
        "reports",
        "serving",
        "training",
    },
    {"cache", "inference", "runs"},
    {"data", "demo"},
    {"work"},
    {"config", "device", "isolation"},
    {"options"},
    {"keras_config", "option"},
    {"duration", "pixel_range"},
    {"atomic", "errors", "progress", "tables"},
)
LEVEL_OF = {name: number for number, x in enumerate(LEVELS) for name in x}
BESIDE = {
    ("fine_tuning", "run"),  # returns one
    ("reports", "evaluation"),  # shows one
    ("data", "demo"),  # the named set
}
UPWARD = {
    ("config", "thaw.data"),  # MAX_PIXELS, a constant of the package itself
}

COMMAND_LINE = "thaw/cli/"
WORKERS = {"thaw/data/inspect_worker.py"}  # with a `main` of their own
SIGNALS = {
    "thaw/training/interruption.py",
    # Names of signals only:
    "thaw/data/worker_process.py",
    "thaw/errors.py",
    "thaw/training/failures.py",
}
PRINTING = {"thaw/progress.py"}


@functools.cache
def sources(package):
    """Returns path in the repository and syntax tree of each module."""
    return [
        (path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8")))
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def is_module(name):
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or path.is_dir()


def imported_modules(tree):
    """Yields line and name of what is imported, inside functions, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where they lead"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node.lineno, inner if is_module(inner) else node.module


def calls(tree):
    """Yields line and name of the functions that are called by a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def places(package, found, allowed=()):
    """Returns `path:line name` of what was found outside of some files."""
    return [
        f"{path}:{line} {name}"
        for path, tree in sources(package)
        for line, name in found(tree)
        if path not in allowed and not path.startswith(COMMAND_LINE)
    ]


def may_import(own, name):
    """Returns whether a part of thaw/ may import a module of thaw/."""
    _, part, *_ = *name.split("."), ""
    if part in (own, "") or (own, name) in UPWARD or (own, part) in BESIDE:
        return True  # `thaw` itself for its version
    return LEVEL_OF[own] < LEVEL_OF[part]


def test_every_module_has_a_level():
    paths = {*(ROOT / "thaw").glob("[!_]*")} - {ROOT / "thaw" / "py.typed"}
    parts = {path.stem for path in paths}
    assert parts == LEVEL_OF.keys()


@pytest.mark.parametrize("package", ["augment", "model_zoo", "plots"])
def test_model_zoo_augment_and_plots_know_nothing_of_thaw(package):
    def found(tree):
        for line, name in imported_modules(tree):
            if name.split(".")[0] in set(OURS) - {package}:
                yield line, name

    errors = "thaw.errors", "thaw.tables"
    assert [x for x in places(package, found) if not x.endswith(errors)] == []


def test_imports_inside_thaw_point_one_way():
    wrong = []
    for path, tree in sources("thaw"):
        own = path.split("/")[1].removesuffix(".py")
        wrong += [
            f"{path}:{line} {name}"
            for line, name in imported_modules(tree)
            if own != "__init__" and name.split(".")[0] == "thaw"
            if not may_import(own, name)
        ]
    assert wrong == []


def test_no_exception_is_left_over():
    used = {
        (path.split("/")[1].removesuffix(".py"), name)
        for path, tree in sources("thaw")
        for _, name in imported_modules(tree)
    }
    parts = {(own, ".".join(name.split(".")[:2])) for own, name in used}
    assert used >= UPWARD
    assert parts >= {(own, f"thaw.{name}") for own, name in BESIDE}
    for path in WORKERS | SIGNALS | PRINTING:
        assert (ROOT / path).exists(), path


def test_scripts_import_the_command_line_only():
    scripts = sorted(ROOT.glob("*.py"))
    assert [path.stem for path in scripts] == [
        "compare", "doctor", "evaluate", "export", "predict", "serve", "train",
    ]  # fmt: skip
    for path in scripts:
        tree = ast.parse(path.read_text("utf-8"))
        found = {name for _, name in imported_modules(tree)}
        assert found - {"model_zoo"} == {"thaw.cli.app"}, path.name
        assert ("model_zoo" in found) == (path.stem == "train")


@pytest.mark.parametrize("package", OURS)
def test_absl_is_the_command_lines(package):
    def found(tree):
        for line, name in imported_modules(tree):
            if name.split(".")[0] == "absl":
                yield line, name

    assert places(package, found) == []


@pytest.mark.parametrize("package", OURS)
def test_nothing_but_a_main_ends_the_process(package):
    ways = {"sys.exit", "os._exit", "os.abort", "exit", "quit", "SystemExit"}

    def found(tree):
        yield from (x for x in calls(tree) if x[1] in ways)

    assert places(package, found, WORKERS) == []


@pytest.mark.parametrize("package", OURS)
def test_signals_are_handled_in_few_places(package):
    def imports(tree):
        yield from (x for x in imported_modules(tree) if x[1] == "signal")

    def handlers(tree):
        yield from (x for x in calls(tree) if x[1] == "signal.signal")

    assert places(package, imports, WORKERS | SIGNALS) == []
    interruption = {"thaw/training/interruption.py"}
    assert places(package, handlers, WORKERS | interruption) == []


@pytest.mark.parametrize("package", OURS)
def test_messages_go_through_progress(package):
    def found(tree):
        yield from (x for x in calls(tree) if x[1] == "print")

    assert places(package, found, PRINTING) == []
