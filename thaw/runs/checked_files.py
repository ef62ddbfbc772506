"""Reading of untrusted JSON and CSV, with limits on size and depth."""

import contextlib
import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from model_zoo.safe_loading.by_name import check_size
from thaw.atomic import open_text
from thaw.errors import UserError
from thaw.runs import format1
from thaw.runs.schema import FORMAT

MOST_BYTES = 1 << 24  # of a file but those with a row for each photo
MOST_TABLE_BYTES = 1 << 32  # of these
_READ_BYTES = 1 << 20  # at a time


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """Returns the content of a file, in which there may be names of files.

    Args:
        path: Path of the file.
        most: Bytes that it may have.

    Raises:
        UserError: If it is missing or too large.
    """
    with open_text(check_size(path, most)) as file:
        return file.read()


def read_json(path: Path, most: int = MOST_BYTES) -> Any:
    """Returns the content of a JSON file; arguments as of `read_text`.

    Raises:
        UserError: If it is missing, too large, or damaged.
    """
    with damage_said(path):
        return json.loads(read_text(path, most))


def read_document(path: Path, most: int = MOST_BYTES) -> dict:
    """Returns the keys of a file with a format, by the names of today.

    Args:
        path: Path of run.json, metrics.json or export.json.
        most: Bytes that it may have.

    Raises:
        UserError: If it is damaged, or a newer Thaw wrote it.
    """
    content = read_json(path, most)
    found = format_of(path, content)
    if found > FORMAT:
        raise UserError(
            f"{path} was written by a newer Thaw (format {found}). Update "
            "Thaw to open it."
        )
    with damage_said(path):
        return format1.upgrade(path.name, content) if found == 1 else content


def format_of(path: Path, content: Any) -> int:
    """Returns the format of a JSON file; the first did not say it.

    Raises:
        UserError: If it is none.
    """
    with damage_said(path):
        if not isinstance(content, dict):
            raise ValueError("it holds no keys")
        found = content.get("format", 1)
        if type(found) is not int or found < 1:
            raise ValueError(f"its format is {ascii(found)[:100]}")
    return found


def read_table(path: Path) -> list[list[str]]:
    """Returns the rows of a CSV file, the titles first.

    Raises:
        UserError: If it is missing, too large, damaged, or empty.
    """
    check_size(path, MOST_TABLE_BYTES)
    with damage_said(path), open_text(path) as file:
        rows = list(csv.reader(file))
    if not rows:
        raise UserError(f"{path} is empty. Is the file complete?")
    return rows


@contextlib.contextmanager
def damage_said(path: Path) -> Iterator[None]:
    """Makes what is raised by a damaged file a `UserError` with its name."""
    try:
        yield
    except UserError:
        raise
    except (ValueError, RecursionError, csv.Error) as error:
        raise UserError(
            f"Cannot read {path}: {error}. Is the file complete?"
        ) from error


def file_sha256(path: str | Path) -> str:
    """Returns the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(_READ_BYTES):
            digest.update(part)
    return digest.hexdigest()
