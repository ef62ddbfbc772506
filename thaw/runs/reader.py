"""Reader of run folders, without Keras, which takes seconds to import.

Anyone may have made the folder: everything in it is checked for the types and
sizes expected here. Files of format 1 are read as if they were of today's.
"""

import shlex
from pathlib import Path

from thaw.errors import UserError, printable
from thaw.runs import format1, schema
from thaw.runs.checked_files import (
    MOST_TABLE_BYTES,
    damage_said,
    file_sha256,
    format_of,
    read_document,
    read_json,
    read_table,
    read_text,
)


def load_history(folder: str | Path) -> list[dict]:
    """Returns history.csv: a dict per epoch, numbers as float, None for none.

    Raises:
        UserError: If it is damaged.
    """
    path = Path(folder) / "history.csv"
    columns, *rows = read_table(path)
    with damage_said(path):
        history = [
            {
                name: cell if name == "stage" else float(cell) if cell else None
                for name, cell in zip(columns, row, strict=True)
            }
            for row in rows
        ]
        for row in history:
            for name in schema.HISTORY_COLUMNS:
                # A head that was solved has no learning rate.
                if row.get(name) is None and name != "learning_rate":
                    raise ValueError(f"an epoch has no {name}")
    return history


def load_summary(folder: str | Path, for_report: bool = False) -> dict | None:
    """Returns run.json; None: the run has not ended.

    Args:
        folder: The run folder.
        for_report: Whether all has to be there that the report shows.

    Raises:
        UserError: If it is damaged, something in it is of another type, or a
            newer Thaw wrote it.
    """
    path = Path(folder) / "run.json"
    if not path.exists():
        return None
    summary = read_document(path)
    with damage_said(path):
        for key, expected in schema.RUN_SCHEMA.items():
            if key not in summary and (key in schema.LATER or not for_report):
                continue
            if not schema.is_like(summary.get(key), expected):
                raise ValueError(
                    f"its {key} is {ascii(summary.get(key))[:100]}"
                )
    return summary


def load_class_names(folder: str | Path) -> list[str]:
    """Returns class_names.json: the names in the order of their indices.

    Raises:
        UserError: If it is damaged, or the names are not such as folders have:
            what prints them believes so.
    """
    path = Path(folder) / "class_names.json"
    class_names = read_json(path)
    with damage_said(path):
        if not schema.is_like(class_names, [str]):
            raise ValueError("expected a list of names")
        if len(set(class_names)) < max(len(class_names), 2):
            raise ValueError("expected two names or more, each of them once")
        for name in class_names:
            if printable(name) != name:
                raise ValueError(
                    f"the name {name!a} contains control characters"
                )
    return class_names


def load_metrics(folder: str | Path) -> dict:
    """Returns metrics.json.

    Raises:
        UserError: If it is damaged, or a newer Thaw wrote it.
    """
    path = Path(folder) / "metrics.json"
    metrics = read_document(path, MOST_TABLE_BYTES)  # a cell for two classes
    return _checked(path, metrics, schema.METRICS_SCHEMA)


def load_exports(folder: str | Path) -> dict:
    """Returns export.json; empty where there is none.

    Raises:
        UserError: If it is damaged, or a newer Thaw wrote it.
    """
    path = Path(folder) / "export.json"
    if not path.exists():
        return {}
    return _checked(path, read_document(path), schema.EXPORT_SCHEMA)


def load_current_exports(run_dir: str | Path) -> dict[str, dict]:
    """Returns the exports of model.keras in the folder `export`, by name.

    Those of the model as it was before, e.g. before it was calibrated, are
    not among them.

    Raises:
        UserError: If export.json is damaged, or a newer Thaw wrote it.
    """
    exports = load_exports(Path(run_dir) / "export")
    if not exports:
        return {}
    sha256 = file_sha256(Path(run_dir) / "model.keras")
    return exports["exports"] if exports["model_sha256"] == sha256 else {}


def load_flags(folder: str | Path) -> list[str]:
    """Returns the lines of flags.txt, e.g. `--epochs=5`, by today's names.

    Raises:
        UserError: If there is no such file, or a huge one.
    """
    renamed = []
    text = read_text(Path(folder) / "flags.txt")
    for line in text.removesuffix("\n").split("\n") if text else []:
        name, equals, text = line.partition("=")
        options = format1.rename_options({name.lstrip("-"): text})
        renamed += [f"--{name}{equals}{text}" for name, text in options.items()]
    return renamed


def check_resumable(folder: str | Path) -> None:
    """Raises a `UserError` if another version of Thaw wrote the checkpoint.

    Args:
        folder: Run folder of a run that has not ended.
    """
    states = sorted(Path(folder).glob("checkpoint/[0-9]*/state.json"))
    for path in reversed(states):
        try:
            found = format_of(path, read_json(path))
        except UserError:  # damaged; there is one before it
            continue
        if found == schema.FORMAT:
            return
        age = "an older" if found < schema.FORMAT else "a newer"
        flags_file = shlex.quote(f"{folder}/flags.txt")
        raise UserError(
            f"The run in {folder} was begun by {age} Thaw (format {found}) "
            "and can't be resumed; start it again: python train.py "
            f"--flagfile={flags_file}"
        )


def _checked(path, content, expected):
    with damage_said(path):
        if not schema.is_like(content, expected):
            raise ValueError("it was not written by Thaw")
    return content
