"""Model card: README.md of a run folder, as the Hugging Face Hub reads it.

The form is that of Mitchell et al. 2019 (arXiv:1810.03993); the head, in YAML,
that of https://huggingface.co/docs/hub/model-cards. Its text is card.md.
"""

import json
import re
import shlex
from pathlib import Path
from string import Template

from thaw.errors import UserError
from thaw.evaluation.evaluation import Evaluation
from thaw.evaluation.metrics import wilson_interval
from thaw.reports.facts import RunFacts, facts_of_run
from thaw.reports.words import words
from thaw.runs import reader

_TEMPLATE = Path(__file__).with_name("card.md")
# What holds neither photos nor paths of whoever trained it.
_PUBLIC = ("README.md", "model.keras", "class_names.json", "export/*")
_PATHS = {"backbone", "cache_dir", "data", "validation_data", "weights"}
_CODE = ("backbone", "unfreeze_from")
_MANY_CLASSES = 50  # of which the rest is in metrics.json
_METRICS = {
    "accuracy": "Accuracy, 95% CI {:.3f} to {:.3f}",
    "macro_f1": "F1, mean over classes",
    "macro_roc_auc": "ROC AUC, mean over classes",
    "log_loss": "Log loss",
    "expected_calibration_error": "Expected calibration error",
}
_EXPORTS = """
Exports in `export/`, each compared with `model.keras`; their output is one
probability per class, in the order of `labels.txt`:

| export | file | accuracy | largest difference of probabilities |
|---|---|---|---|
"""
_OPENVINO = """
OpenVINO computes in bfloat16 on some processors; for these probabilities,
compile it with `{"INFERENCE_PRECISION_HINT": "f32"}`.
"""
_VERIFIED = (
    "Verified: in a fresh process, `model.keras` gave the same\nprobabilities "
    "on {photos} photos (largest difference {largest_difference:.1g})."
)
_NOT_VERIFIED = "Not verified: `model.keras` was not opened in a fresh process."


def write_card(run) -> None:
    """Writes the model card of a finished run anew.

    Args:
        run: `thaw.run.Run`, whose folder has a metrics.json.

    Raises:
        UserError: If a file in its folder is damaged.
    """
    metrics = reader.load_metrics(run.path)
    facts, flags = facts_of_run(run), reader.load_flags(run.path)
    num_issues = len(reader.load_label_issues(run.path))
    exports = reader.load_current_exports(run.path)
    try:
        evaluation = Evaluation.from_dict(metrics)
        card = make_card(facts, evaluation, flags, num_issues, exports)
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"{run.path / 'metrics.json'} contradicts run.json or itself. "
            f"Write it anew: python evaluate.py {run.path}"
        ) from error
    run.folder.save_card(card)


def make_card(
    facts: RunFacts,
    evaluation: Evaluation,
    flags: list[str],
    num_issues: int,
    exports: dict[str, dict],
) -> str:
    """Returns the model card of a run, as Markdown.

    Args:
        facts: Facts about the run.
        evaluation: Its evaluation on its own validation photos.
        flags: Lines of flags.txt.
        num_issues: Number of labels that are suspected to be wrong.
        exports: Exports of the model as it is now, by format, as in
            export.json.
    """
    summary, classes = facts.summary, list(evaluation.classes)
    said = {
        name: _code(value) if name in _CODE else _plain(value)
        for name, value in words(facts, evaluation).items()
    }
    output = "the probability of each of `class_names`, one column per class"
    if len(classes) == 2:
        output = "the probability of `class_names[1]`, one column"
    flags = map(shlex.quote, map(_without_folders, flags))
    public = " ".join(f"--include {shlex.quote(x)}" for x in _PUBLIC)
    repository = re.sub("[^A-Za-z0-9._-]+", "-", facts.name)
    verified = summary.get("verified")
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        said
        | _data(summary)
        | _results(evaluation)
        | {
            "index": _model_index(facts, evaluation),
            "num_classes": len(classes),
            "classes": _listed(classes),
            "output": output,
            "exports": _exports(exports),
            "command": " ".join(["python train.py", *flags]),
            "verified": _VERIFIED.format(**verified)
            if verified
            else _NOT_VERIFIED,
            "num_issues": f"{num_issues:,}",
            "upload": f"hf upload YOU/{repository} . . {public}",
        }
    )


def _model_index(facts, evaluation):
    """Returns the results for the Hub, in JSON, which is a part of YAML."""
    values = {key: getattr(evaluation, key) for key in _METRICS}
    results = {
        "task": {"type": "image-classification"},
        "dataset": {
            "name": f"{_data_name(facts.summary)}, validation photos",
            "type": "imagefolder",
        },
        "metrics": [
            {
                "type": key.removeprefix("macro_"),
                "name": _METRICS[key].format(*evaluation.accuracy_interval),
                "value": round(value, 4),
            }
            for key, value in values.items()
            if value is not None
        ],
    }
    index = [{"name": facts.name, "results": [results]}]
    return json.dumps(index, ensure_ascii=False)


def _listed(classes):
    shown = ", ".join(map(_plain, classes[:_MANY_CLASSES]))
    more = len(classes) - _MANY_CLASSES
    return f"{shown} and {more} more" if more > 0 else shown


def _exports(exports):
    rows = "".join(
        f"| {_plain(name)} | {_code(export['path'])} | "
        f"{export['accuracy']:.1%} of {export['photos']:,} | "
        f"{export['largest_difference']:.1g} |\n"
        for name, export in exports.items()
    )
    rows += _OPENVINO if "openvino" in exports else ""
    return rows and _EXPORTS + rows


def _data(summary):
    train, validation = (summary["photos"][x] for x in ("train", "validation"))
    rows = "".join(
        f"| {_plain(name)} | {train.get(name, 0):,} | {count:,} |\n"
        for name, count in list(validation.items())[:_MANY_CLASSES]
    )
    return {
        "data": _code(_data_name(summary)),
        "num_train": f"{sum(train.values()):,}",
        "num_validation": f"{sum(validation.values()):,}",
        "data_rows": rows,
    }


def _results(evaluation):
    counts, rows = evaluation.confusion_matrix, ""
    classes = list(evaluation.classes.items())[:_MANY_CLASSES]
    for place, (name, of_class) in enumerate(classes):
        precision, recall = (
            _share(counts[place, place], total)
            for total in (counts[:, place].sum(), counts[place].sum())
        )
        support = f"{of_class.support:,}"
        rows += f"| {_plain(name)} | {support} | {precision} | {recall} |\n"
    confused = ", ".join(
        f"{_plain(true)} predicted as {_plain(predicted)} ({count:,})"
        for true, predicted, count in evaluation.most_confused[:3]
    )
    return {"confused": confused or "none", "result_rows": rows}


def _share(count, total):
    """Returns a share and its interval; of nothing, a dash."""
    if total == 0:
        return "\u2013"
    low, high = wilson_interval(int(count), int(total))
    return f"{count / total:.1%} ({low * 100:.1f}-{high:.1%})"


def _data_name(summary):
    return _last_part(summary["config"]["data"]) or "a folder"


def _without_folders(flag):
    """Returns a flag with the last part only of a path, which is private."""
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
