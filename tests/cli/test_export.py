import functools
import json

import pytest

from thaw.exporting import onnx


@pytest.fixture
def export(run_script):
    """A function of arguments that runs export.py in this process."""
    return functools.partial(run_script, "export.py")


def load_exports(folder):
    return json.loads((folder / "export.json").read_text())["exports"]


@pytest.mark.slow
def test_all_formats_then_one_that_answers_otherwise(
    export, run_dir, monkeypatch
):
    folder = run_dir / "export"
    done = export(
        run_dir, "--format=saved_model,litert,onnx,openvino",
        "--max_accuracy_loss=100%",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    exports = load_exports(folder)
    assert list(exports) == [
        "saved_model", "litert", "litert_float16", "litert_int8", "onnx",
        "openvino",
    ]  # fmt: skip
    for name in ("saved_model", "litert", "onnx", "openvino"):
        assert exports[name]["labels_differ"] == 0
        assert exports[name]["largest_difference"] < 1e-4
        assert f"\n{name} " in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "export.json", "labels.txt", "model.onnx", "model.tflite",
        "model_float16.tflite", "model_int8.tflite", "openvino", "saved_model",
    ]  # fmt: skip
    assert (folder / "labels.txt").read_text() == "cat\ndog\n"
    card = (run_dir / "README.md").read_text()
    assert "model_int8.tflite" in card and "model.onnx" in card

    open_runner = onnx.open_runner

    def open_wrong(path):
        run = open_runner(path)
        return lambda photo: run(photo)[:, ::-1]

    monkeypatch.setattr(onnx, "open_runner", open_wrong)
    done = export(run_dir, "--format=onnx")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "export.py: onnx is not handed over: it predicts another class than "
    )
    assert not (folder / "model.onnx").exists()  # of before, not compared
    del exports["onnx"]
    assert load_exports(folder) == exports
    assert "model.onnx" not in (run_dir / "README.md").read_text()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Expected one run folder"),
        (["nowhere"], "no run folder nowhere"),
        (["nowhere", "--format=tflite"], "--format must be one of saved_model"),
        (["nowhere", "--format="], "--format must be one of saved_model"),
        (["nowhere", "--max_accuracy_loss=2"], "--max_accuracy_loss must be a"),
        (["{run}", "--data={run}", "--output_dir={run}/x"], "is inside"),
        (["{run}", "--data=nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_said(export, trained_run, arguments, message):
    done = export(*(x.format(run=trained_run) for x in arguments))
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr
