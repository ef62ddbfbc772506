"""The notebooks in examples/, executed as a user would."""

import json
import os

import pytest

from tests.support.paths import ROOT

FIRST_RUN, TRAINING_LOOP = (
    ROOT / "examples" / f"{name}.ipynb"
    for name in ("fine_tune", "training_loop")
)


@pytest.mark.parametrize("path", [FIRST_RUN, TRAINING_LOOP])
def test_no_output_is_stored(path):
    notebook = json.loads(path.read_text())
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.fixture
def outputs_of(tmp_path, monkeypatch):
    """Function that runs a notebook; returns the outputs by source of cell."""
    import nbformat
    from nbclient import NotebookClient

    paths = [str(ROOT), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))

    def run(path):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=400,
            resources={"metadata": {"path": str(tmp_path)}},
        ).execute()  # fails with the first cell that does
        return {
            cell["source"]: cell["outputs"]
            for cell in notebook["cells"]
            if cell["cell_type"] == "code"
        }

    return run


@pytest.mark.slow
@pytest.mark.process
def test_the_first_run_is_shown(outputs_of, tmp_path):
    outputs = outputs_of(FIRST_RUN)
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


@pytest.mark.slow
@pytest.mark.process
def test_a_training_loop_of_ones_own_trains(outputs_of):
    loop = "".join(
        output["text"]
        for source, of_cell in outputs_of(TRAINING_LOOP).items()
        for output in of_cell
        if "train_step" in source and output.get("name") == "stdout"
    )
    assert "epoch 2: loss " in loop
    accuracy = float(loop.split()[-1])
    assert accuracy > 0.6  # of two classes alike
