"""The commands and the Python of README and docs, as written there."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

import thaw
from tests.support.paths import ROOT
from tools import make_docs

PAGES = [
    ROOT / "README.md",
    *(
        ROOT / "docs" / f"{name}.md"
        for name in (
            "getting-started",
            "data",
            "training",
            "results",
            "predict-serve-export",
            "resume",
            "recipes",
            "how-it-works",
            "benchmarks",
            "security",
        )
    ),
]
TEXT = "\n".join(page.read_text() for page in PAGES)
DEMO = "train.py --unfreeze-from block5_conv1"
# No weights to download, and fewer epochs.
SMALL = {
    '"vgg16", len(class_names)': '"vgg16_tiny", len(class_names), weights=None',
    '"vgg16"': '"vgg16_tiny"',
    'unfreeze_from="none"': 'epochs=0, backbone="vgg16_tiny"',
    "epochs=10": "epochs=1",
    'budget="10m"': "epochs=1",
    '["onnx", "litert"]': '["onnx"]',
}


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def shell_lines():
    return "".join(blocks("sh")).replace("\\\n", "").splitlines()


@pytest.mark.slow
@pytest.mark.process
def test_the_demo_learns_and_its_model_predicts(
    shell_lines, run_script, tmp_path
):
    """The first command of the README; then the one it prints at its end."""
    assert f".venv/bin/python {DEMO}" in shell_lines
    process = run_script(*DEMO.split(), process=True)
    assert process.returncode == 0, process.stderr
    summary = json.loads((tmp_path / "runs/latest/run.json").read_text())
    assert summary["val_accuracy"] >= 0.95
    assert summary["best_stage"] == "fine_tune"
    predict = process.stdout.splitlines()[-1].split("python ")[1]
    caches = Path(os.environ["XDG_CACHE_HOME"])
    photo = next(caches.glob("thaw/demo-*/dog/*.jpg"))
    process = run_script(*predict.replace("photo.jpg", str(photo)).split())
    assert process.returncode == 0, process.stderr
    assert str(photo) in process.stdout


@pytest.mark.slow
def test_its_python_runs(drawn_photos, tmp_path, monkeypatch, capsys):
    """One block after the other, in a folder with the photos they name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(thaw.fine_tune.__kwdefaults__, "verify", False)
    for name in ("photos", "new_photos"):
        shutil.copytree(drawn_photos, name)
    shutil.copytree(drawn_photos / "dog", "holiday")
    variables = {}
    for block in blocks("python"):
        for large, small in SMALL.items():
            block = block.replace(large, small)
        exec(block, variables)
    printed = capsys.readouterr().out
    assert printed.count("holiday/") == 24
    assert "Accuracy " in printed and "within noise" in printed
    assert variables["class_names"] == ["cat", "dog"]
    for pattern in (
        "runs/2*/export/model.onnx",
        "runs/2*/evaluation-new_photos/report.html",
        "loss.png",
        "cats_vs_dogs.keras",
    ):
        assert len(list(tmp_path.glob(pattern))) == 1, pattern


def test_readme_fits_on_three_screens():
    readme = PAGES[0].read_text()
    lines = readme.splitlines()
    assert len(lines) <= 180 and len(readme.split()) <= 1000
    assert lines.index("```python") < 30


def test_links_lead_to_pages_and_headings():
    def headings(page):
        return {
            re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for line in page.read_text().splitlines()
            if line.startswith("#")
        }

    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if link.startswith("http"):
                continue
            path, _, heading = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), (page, link)
            assert not heading or heading in headings(target), (page, link)


@pytest.mark.parametrize("name", make_docs.PAGES)
def test_pages_made_of_the_code_are_up_to_date(name):
    """python -m tools.make_docs writes them."""
    page = ROOT / "docs" / name
    assert page.read_text() == make_docs.PAGES[name]()


def test_every_flag_in_the_docs_exists(run_script):
    flags = set(re.findall(r"--([a-z][a-z_-]+)", TEXT)) - {
        "base",  # of benchmarks.peers
        "fastai_python",
        "job",  # of benchmarks.jobs
        "backbones",
        "flag",  # of benchmarks.sweep
        "values",
        "help",
        "data-binary",  # of curl
        "run",  # of benchmarks.serve
        "photos",
        "logdir",  # of tensorboard
    }
    text = "".join(
        run_script(script, "--help").stdout
        for script in (
            "train.py",
            "predict.py",
            "evaluate.py",
            "export.py",
            "serve.py",
        )
    )
    for flag in flags:
        assert re.search(rf"--(\[no\])?{flag.replace('-', '_')}\b", text), flag


def test_training_commands_are_spelt_right(shell_lines, run_script):
    """They get as far as looking for the photos."""
    lines = [line for line in shell_lines if "train.py --data" in line]
    assert len(lines) == 11
    for line in lines:
        arguments = shlex.split(line.split("python ")[1], comments=True)
        arguments = [
            re.sub("base.keras|runs/latest", "vgg16_tiny", argument)
            for argument in arguments
        ]
        process = run_script(*arguments)
        assert process.returncode == 2
        is_missing = "photos does not exist|There is no file photos/train-0000"
        assert re.search(is_missing, process.stderr)


def test_make_runs_what_the_readme_says(shell_lines):
    """The same commands, whatever the order of pip's arguments."""

    def words(line):
        return sorted(line.split(" install ")[-1].split())

    def commands(target):
        done = subprocess.run(
            ["make", "--dry-run", "--always-make", target, "UV="],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return [words(line) for line in done.stdout.splitlines()]

    demo, test = commands("demo"), commands("test")
    of_readme = [x for x in shell_lines if x.startswith(".venv/bin/")]
    assert len(of_readme) == 8
    for line in of_readme[:2]:
        assert words(line) in demo
    for line in of_readme[2:4]:
        assert words(line) in test
