import json

import pytest

from tests.cli.test_resume import run_changed

# Turns the answers of every ONNX file around.
WRONG_ONNX = """
import thaw.exporting.onnx as module
original = module.open_runner
def open_wrong(path):
    run = original(path)
    return lambda photo: run(photo)[:, ::-1]
module.open_runner = open_wrong
"""


def run_script(name, *arguments, body=""):
    return run_changed(body, *arguments, script=name)


@pytest.fixture(scope="module")
def run_dir(drawn_photos, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("export") / "run"
    done = run_script(
        "train.py", f"--data={drawn_photos}", "--backbone=vgg16_tiny",
        "--image_size=48", "--head=linear", "--augment=none", "--epochs=0",
        f"--run_dir={run_dir}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return run_dir


def load_exports(folder):
    return json.loads((folder / "export.json").read_text())


def test_all_formats_then_one_that_answers_otherwise(run_dir):
    folder = run_dir / "export"
    done = run_script(
        "export.py", run_dir, "--format=saved_model,litert,onnx,openvino",
        "--max_accuracy_loss=100%",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    copies = load_exports(folder)["copies"]
    assert list(copies) == [
        "saved_model", "litert", "litert_float16", "litert_int8", "onnx",
        "openvino",
    ]  # fmt: skip
    for name in ("saved_model", "litert", "onnx", "openvino"):
        assert copies[name]["labels_differ"] == 0
        assert copies[name]["largest_difference"] < 1e-4
        assert f"\n{name} " in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "export.json", "labels.txt", "model.onnx", "model.tflite",
        "model_float16.tflite", "model_int8.tflite", "openvino", "saved_model",
    ]  # fmt: skip
    assert (folder / "labels.txt").read_text() == "cat\ndog\n"

    done = run_script("export.py", run_dir, "--format=onnx", body=WRONG_ONNX)
    assert done.returncode == 1
    assert "onnx is not handed over: it takes" in done.stderr
    assert not (folder / "model.onnx").exists()  # of before, not proved
    del copies["onnx"]
    assert load_exports(folder)["copies"] == copies


def test_copies_of_another_model_do_not_stay(tmp_path):
    from thaw.exporting.exports import Copies

    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "model.onnx").write_text("of before")
    (folder / "export.json").write_text(
        json.dumps(
            {
                "model_sha256": "other",
                "copies": {
                    "onnx": {
                        "path": "model.onnx",
                        "photos": 1,
                        "accuracy": 1.0,
                        "largest_difference": 0.0,
                    }
                },
            }
        )
    )
    copies = Copies(folder, "its hash", None, ["cat", "dog"], None)
    assert copies.names() == []
    assert not (folder / "model.onnx").exists()


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    from thaw.errors import UserError
    from thaw.exporting.exports import Copies

    (tmp_path / "openvino").mkdir()
    with pytest.raises(UserError, match="not empty"):
        Copies(tmp_path, "its hash", None, ["cat"], None)
    assert (tmp_path / "openvino").is_dir()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "Expected one run folder"),
        (["nowhere"], "no run folder nowhere"),
        (["nowhere", "--format=tflite"], "expected one or more of saved_model"),
        (["nowhere", "--format="], "expected one or more of saved_model"),
        (["nowhere", "--max_accuracy_loss=2"], "expected a percentage"),
    ],
)
def test_mistakes_are_said(arguments, message):
    done = run_script("export.py", *arguments)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_missing_package_gives_the_pip_line():
    body = """
import importlib.util
original = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: (
    None if name in ("openvino", "ai_edge_litert") else original(name, *rest)
)
"""
    done = run_script("export.py", "run", "--format=litert,openvino", body=body)
    assert done.returncode == 2
    assert "not installed: ai-edge-litert, openvino. " in done.stderr
    assert "pip install -e '.[export]'" in done.stderr
