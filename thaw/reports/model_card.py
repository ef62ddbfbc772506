"""Model card: README.md of a run folder, as the Hugging Face Hub reads it.

The form is that of Mitchell et al. 2019 (arXiv:1810.03993); the head, in YAML,
that of https://huggingface.co/docs/hub/model-cards. Its text is card.md.j2.
"""

import json
import re
import shlex

from jinja2 import UndefinedError
from markupsafe import Markup

from thaw.errors import UserError
from thaw.evaluation.evaluation import Evaluation
from thaw.evaluation.metrics import wilson_interval
from thaw.reports.facts import RunFacts, facts_of_run
from thaw.reports.templates import make_environment
from thaw.reports.words import words
from thaw.runs import photo_tables, reader

# What holds neither photos nor paths of whoever trained it.
_PUBLIC = (
    "README.md",
    "model.keras",
    "class_names.json",
    "pixel_ranges.json",
    "export/*",
)
_PATHS = {"backbone", "cache_dir", "data", "validation_data", "weights"}
_MANY_CLASSES = 50  # of which the rest is in metrics.json
_METRICS = {
    "accuracy": "Accuracy, 95% CI {:.3f} to {:.3f}",
    "top_5_accuracy": "Top-5 accuracy",
    "macro_f1": "F1, mean over classes",
    "macro_roc_auc": "ROC AUC, mean over classes",
    "log_loss": "Log loss",
    "expected_calibration_error": "Expected calibration error",
}


def write_card(run) -> None:
    """Writes the model card of a finished run anew.

    Args:
        run: `thaw.run.Run`, whose folder has a metrics.json.

    Raises:
        UserError: If a file in its folder is damaged.
    """
    metrics = reader.load_metrics(run.path)
    facts, flags = facts_of_run(run), reader.load_flags(run.path)
    num_issues = len(photo_tables.load_label_issues(run.path))
    exports = reader.load_current_exports(run.path)
    try:
        evaluation = Evaluation.from_dict(metrics)
        card = make_card(facts, evaluation, flags, num_issues, exports)
    except (
        LookupError,
        TypeError,
        ValueError,
        UndefinedError,
    ) as error:
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
    flags = map(shlex.quote, map(_without_folders, flags))
    public = " ".join(f"--include {shlex.quote(x)}" for x in _PUBLIC)
    repository = re.sub("[^A-Za-z0-9._-]+", "-", facts.name)
    classes, photos = list(evaluation.classes), facts.summary["photos"]
    return _TEMPLATES.get_template("card.md.j2").render(
        words(facts, evaluation),
        train=photos["train"],
        validation=photos["validation"],
        photos_of=list(photos["validation"].items())[:_MANY_CLASSES],
        index=_model_index(facts, evaluation),
        classes=classes,
        shown=classes[:_MANY_CLASSES],
        exports=exports,
        data=_data_name(facts.summary),
        counts=evaluation.confusion_matrix,
        share=_share,
        confused=evaluation.most_confused[:3],
        command=" ".join(["python train.py", *flags]),
        verified=facts.summary.get("verified"),
        pixel_ranges=facts.summary.get("pixel_ranges", {}),
        needs_hub="keras_hub" in facts.summary["versions"],
        num_issues=num_issues,
        upload=f"hf upload YOU/{repository} . . {public}",
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
    return Markup(f"`{' '.join(str(text).split()).replace('`', chr(39))}`")


def _plain(text):
    """Returns `text` on one line, with nothing that Markdown would read."""
    if isinstance(text, Markup):  # by the filters `code` and `safe`
        return text
    line = " ".join(str(text).split())
    return Markup(re.sub(r"([\\`*_{}\[\]<>#|~!&$])", r"\\\1", line))


_TEMPLATES = make_environment(finalize=_plain)
_TEMPLATES.filters["code"] = _code
