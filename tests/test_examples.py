"""The notebook in examples/, executed as a user would."""

import json
import os

import pytest

from tests.support.paths import ROOT

NOTEBOOK = ROOT / "examples" / "fine_tune.ipynb"


def test_no_output_is_stored():
    notebook = json.loads(NOTEBOOK.read_text())
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.mark.slow
@pytest.mark.process
def test_the_notebook_runs_and_shows_the_run(tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    paths = [str(ROOT), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=400,
        resources={"metadata": {"path": str(tmp_path)}},
    ).execute()  # fails with the first cell that does
    outputs = {
        cell["source"]: cell["outputs"]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    }
    (shown,) = outputs["run"]
    html = shown["data"]["text/html"]
    assert "<p>Accuracy " in html and html.count("<img ") == 2
    pictures = [
        output
        for of_cell in outputs.values()
        for output in of_cell
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 2  # heat maps and the confusion matrix
    assert len(list(tmp_path.glob("runs/20*/report.html"))) == 2
