import ast

import pytest

from tests.support.paths import ROOT

# Which packages each one may import, besides itself, `thaw.errors` and the
# rest of the standard library and of requirements.txt.
ALLOWED = {"augment": set(), "model_zoo": set(), "plots": set()}


def imported_modules(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package):
    ours = {"augment", "model_zoo", "plots", "thaw"} - {package}
    for path in (ROOT / package).rglob("*.py"):
        found = {
            name
            for name in imported_modules(path)
            if name.split(".")[0] in ours and name != "thaw.errors"
        }
        assert found <= ALLOWED[package], path.name
