"""README.md of a run folder: a model card, as the Hugging Face Hub reads it.

The form is that of Mitchell et al. 2019 (arXiv:1810.03993); the head, in YAML,
that of https://huggingface.co/docs/hub/model-cards. Everything in it is read
from the other files of the folder.
"""

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

from model_zoo.backbones import short_name
from thaw.evaluation.metrics import wilson_interval
from thaw.runs import reader

# What holds neither photos nor paths of whoever trained it.
_PUBLIC = ("README.md", "model.keras", "class_names.json", "export/*")
_PATHS = {"backbone", "cache_dir", "data", "validation_data", "weights"}
_MANY_CLASSES = 50  # of which the rest is in metrics.json


class _Facts(NamedTuple):
    name: str  # of the run
    summary: dict  # run.json
    numbers: dict  # metrics.json
    flags: list[str]
    suspected: int  # labels
    copies: dict[str, dict]  # of the model, in other formats


def make_card(run_dir: str | Path) -> str:
    """Returns the model card of a run that has ended, as Markdown.

    Args:
        run_dir: Run folder with run.json, metrics.json and flags.txt.

    Raises:
        UserError: If a file in it is damaged.
    """
    run_dir = Path(run_dir).resolve()
    facts = _Facts(
        run_dir.name,
        reader.load_summary(run_dir),
        reader.load_metrics(run_dir),
        reader.load_flags(run_dir),
        len(reader.load_label_issues(run_dir)),
        reader.load_copies(run_dir),
    )
    parts = [_head, _what, _use, _photos, _results, _training, _limits, _files]
    return "\n".join(part(facts) for part in parts)


def _head(facts):
    """Returns the head in YAML, of which JSON is a part."""
    numbers = facts.numbers
    low, high = numbers["accuracy_interval"]
    metrics = [
        ("accuracy", f"Accuracy, 95% interval {low:.3f} to {high:.3f}"),
        ("mean_f1", "F1, mean over the classes"),
        ("mean_roc_auc", "ROC AUC, mean over the classes"),
        ("log_loss", "Log loss"),
        ("expected_calibration_error", "Expected calibration error"),
    ]
    index = {
        "name": facts.name,
        "results": [
            {
                "task": {"type": "image-classification"},
                "dataset": {
                    "name": f"{_data_name(facts)}, validation photos",
                    "type": "imagefolder",
                },
                "metrics": [
                    {
                        "type": key.removeprefix("mean_"),
                        "name": name,
                        "value": round(numbers[key], 4),
                    }
                    for key, name in metrics
                    if numbers[key] is not None
                ],
            }
        ],
    }
    return "\n".join(
        [
            "---",
            "library_name: keras",
            "pipeline_tag: image-classification",
            "license: unknown",
            "tags: [image-classification, keras, tensorflow, thaw]",
            "metrics: [accuracy, f1, roc_auc]",
            f"model-index: {json.dumps([index], ensure_ascii=False)}",
            "---",
            "",
        ]
    )


def _what(facts):
    summary = facts.summary
    classes = list(facts.numbers["classes"])
    shown = ", ".join(map(_plain, classes[:_MANY_CLASSES]))
    if len(classes) > _MANY_CLASSES:
        shown += f" and {len(classes) - _MANY_CLASSES} more"
    trained = summary["trainable_parameters"]
    total = trained + summary["frozen_parameters"]
    return f"""\
# {_plain(facts.name)}

Says which of {len(classes)} classes a photo shows: {shown}.

It is {_code(short_name(summary["backbone"]))}, fine-tuned with Thaw from the
layer {_code(summary["unfreeze_from"])} on: {trained:,} of {total:,} parameters
were trained. {summary["freeze_proof"]["summary"].capitalize()}.
"""


def _use(facts):
    two = len(facts.numbers["classes"]) == 2
    output = (
        "the probability of `class_names[1]`, one column"
        if two
        else "the probability of each of `class_names`, a column a class"
    )
    text = f"""\
## How to use it

`model.keras` takes raw RGB, 0 to 255, of any size: resizing and preprocessing
are inside. It needs Keras 3 and nothing else.

```python
import json, zipfile
import keras
import numpy as np
from PIL import Image, ImageOps

model = keras.saving.load_model("model.keras")
with zipfile.ZipFile("model.keras") as file:
    class_names = json.loads(file.read("metadata.json"))["class_names"]
photo = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
probabilities = model.predict(np.asarray(photo)[None])
```

Its output is {output}.
"""
    if facts.copies:
        text += """
In other formats, in `export/`, each compared with `model.keras`; their output
is one probability a class, in the order of `labels.txt`:

| copy | file | accuracy | probabilities differ by up to |
|---|---|---|---|
"""
        text += "".join(
            f"| {_plain(name)} | {_code(copy['path'])} | "
            f"{copy['accuracy']:.1%} of {copy['photos']:,} | "
            f"{copy['largest_difference']:.1g} |\n"
            for name, copy in facts.copies.items()
        )
    if "openvino" in facts.copies:
        text += """
OpenVINO computes in bfloat16 on some processors; for these probabilities,
compile it with `{"INFERENCE_PRECISION_HINT": "f32"}`.
"""
    return text


def _photos(facts):
    photos = facts.summary["photos"]
    train, validation = photos["train"], photos["validation"]
    rows = "".join(
        f"| {_plain(name)} | {train.get(name, 0):,} | {count:,} |\n"
        for name, count in list(validation.items())[:_MANY_CLASSES]
    )
    return f"""\
## Photos

{sum(train.values()):,} to train on and {sum(validation.values()):,} to
validate on, from {_code(_data_name(facts))}; copies of a photo were kept on one
side.

| class | training | validation |
|---|---|---|
{rows}"""


def _results(facts):
    numbers = facts.numbers
    low, high = numbers["accuracy_interval"]
    rows = []
    counts = numbers["confusion_matrix"]
    columns = [sum(column) for column in zip(*counts, strict=True)]
    for place, (name, of_class) in enumerate(numbers["classes"].items()):
        right = counts[place][place]
        cells = [_plain(name), f"{of_class['photos']:,}"]
        for total in (columns[place], sum(counts[place])):
            cells.append(_share(right, total))
        rows.append(f"| {' | '.join(cells)} |\n")
    confused = ", ".join(
        f"{_plain(right)} for {_plain(taken)} ({count:,})"
        for right, taken, count in numbers["most_confused"][:3]
    )
    calibrated = (
        "The confidence is calibrated by temperature"
        if "calibration" in numbers
        else "Confidence and accuracy"
    )
    return f"""\
## Results

Right on {numbers["accuracy"]:.1%} of {numbers["photos"]:,} validation photos
(95% interval {low:.1%} to {high:.1%}). It takes
{confused or "none for another"}. {calibrated}; they differ by
{numbers["expected_calibration_error"]:.3f} on average (expected calibration
error). Log loss {numbers["log_loss"]:.4f}.

| class | photos | precision, 95% interval | recall, 95% interval |
|---|---|---|---|
{"".join(rows[:_MANY_CLASSES])}"""


def _training(facts):
    summary = facts.summary
    versions = ", ".join(
        f"{name} {version}" for name, version in summary["versions"].items()
    )
    flags = [_without_folders(flag) for flag in facts.flags]
    command = " ".join(["python train.py", *map(shlex.quote, flags)])
    epochs = summary["epochs"]
    reopened = summary.get("reopened")
    proof = ""
    if reopened:
        proof = (
            f"\nOpened by a fresh process, `model.keras` gave the same "
            f"probabilities on {reopened['photos']} photos (largest difference "
            f"{reopened['largest_difference']:.1g}).\n"
        )
    return f"""\
## Training

```sh
{command}
```

{epochs} epoch{"" if epochs == 1 else "s"} in {summary["seconds"]:,.0f} s on
{summary["device"]}, seed {summary["seed"]}; {versions}. Kept: the weights of
epoch {summary["best_epoch"]}, which had the lowest validation loss.
{proof}"""


def _limits(facts):
    numbers = facts.numbers
    seen = (x for x in numbers["classes"].items() if x[1]["photos"])
    lowest = min(seen, key=lambda pair: pair[1]["recall"])
    points = [
        "It knows these classes only, and names one of them on any photo.",
        "The numbers are of photos from the same source as those it was "
        "trained on; on photos of another kind it may be worse.",
        "The epoch was chosen on the very photos of these numbers, which are "
        "a little too good for that.",
        f"It finds {_plain(lowest[0])} least often: "
        f"{lowest[1]['recall']:.1%} of {lowest[1]['photos']:,} photos.",
    ]
    if facts.suspected:
        points.append(
            f"{facts.suspected:,} labels of the photos are suspected to be "
            "wrong; none was changed."
        )
    points.append(
        "What the photos and the pretrained weights may be used for, their "
        "licenses say, which Thaw does not know: set `license` above."
    )
    return "## Limits\n\n" + "".join(f"- {point}\n" for point in points)


def _files(facts):
    public = " ".join(f"--include {shlex.quote(name)}" for name in _PUBLIC)
    repository = re.sub("[^A-Za-z0-9._-]+", "-", facts.name)
    return f"""\
## To push this folder

```sh
hf upload YOU/{repository} . . {public}
```

Photos and their paths are in `report.html`, the pictures and the tables, which
this leaves out.
"""


def _share(count, total):
    """Returns a share and its interval; of nothing, a dash."""
    if total == 0:
        return "\u2013"
    low, high = wilson_interval(count, total)
    return f"{count / total:.1%} ({low:.1%} to {high:.1%})"


def _data_name(facts):
    return _last_part(facts.summary["flags"]["data"]) or "a folder"


def _without_folders(flag):
    """Returns a flag with the name only of a path, which is nobody's affair."""
    name, equals, value = flag.partition("=")
    if name.removeprefix("--") in _PATHS:
        value = _last_part(value)
    return f"{name}{equals}{value}"


def _last_part(path):
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1].strip(".")


def _code(text):
    """Returns `text` as code, in which only a backtick is special."""
    return f"`{' '.join(str(text).split()).replace('`', chr(39))}`"


def _plain(text):
    """Returns `text` on one line, with nothing that Markdown would read."""
    line = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~!&$])", r"\\\1", line)
