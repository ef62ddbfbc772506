"""HTML of the report: every name in it is text, never markup."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from thaw.errors import script_json, valid_utf8

MOST_CLASSES = 30  # in the table that can be clicked
_GONE = '<span class="gone">can\'t be read any more</span>'
_FEW_CLASSES = 5  # whose names fit beside each other


class Shown(NamedTuple):
    """A photo on the page.

    Attributes:
        images: JPEG files, one or two beside each other; empty: the photo
            can't be read any more.
        caption: Its labels.
        name: Of its file.
    """

    images: Sequence[bytes]
    caption: str
    name: str


def advice_list(advice: Sequence[tuple[str, str]]) -> str:
    """Returns (command, reason) pairs as a numbered list."""
    if not advice:
        return "<p>Nothing in the numbers calls for a change.</p>"
    items = (
        f"<li>{text(reason)}<pre>{text(command)}</pre></li>"
        for command, reason in advice
    )
    return f'<ol class="try">{"".join(items)}</ol>'


def charts(pictures: Sequence[bytes]) -> str:
    """Returns PNG files beside each other; nothing without any."""
    one = " one" if len(pictures) == 1 else ""
    images = "".join(
        f'<img class="chart" alt="" src="data:image/png;base64,{_base64(x)}">'
        for x in pictures
    )
    return f'<div class="charts{one}">{images}</div>' if images else ""


def table(rows: Sequence[Sequence[str]]) -> str:
    """Returns a table, the titles first."""
    titles, *others = rows
    head = "".join(f"<th>{text(title)}</th>" for title in titles)
    body = "".join(
        f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>"
        for row in others
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def pairs(values: Sequence[tuple[str, str]]) -> str:
    """Returns (name, value) pairs as a list."""
    rows = "".join(
        f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in values
    )
    return f"<dl>{rows}</dl>"


def clickable_classes(counts: np.ndarray) -> np.ndarray:
    """Returns the classes whose cells can be clicked: the most confused.

    Args:
        counts: Photos by true and predicted label, (C, C).
    """
    wrong = counts - np.diag(np.diag(counts))
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind="stable")[:MOST_CLASSES])


def confusion_matrix(counts: np.ndarray, class_names: Sequence[str]) -> str:
    """Returns the confusion matrix as a table whose cells can be clicked.

    Args:
        counts: Photos by true and predicted label, (C, C).
        class_names: Names of the C classes.
    """
    chosen = clickable_classes(counts)
    few = ' class="few"' if len(chosen) <= _FEW_CLASSES else ""
    names = [text(class_names[x]) for x in chosen]
    head = "".join(
        f'<th class="name" title="{name}">{name}</th>' for name in names
    )
    rows = "".join(
        f'<tr><th title="{name}">{name}</th>'
        + "".join(_cell(counts, true, x, class_names) for x in chosen)
        + "</tr>"
        for true, name in zip(chosen, names, strict=True)
    )
    return (
        f'<div class="scroll"><table id="confusion"{few}><thead><tr><th></th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        '<div id="shown" aria-live="polite"></div>'
    )


def _cell(counts, true, predicted, names):
    count, total = counts[true, predicted], counts[true].sum()
    share = count / max(total, 1)
    how = "correct"
    if true != predicted:
        how = f"predicted as {names[predicted]}"
    title = f"{names[true]}, {how}: {count:,} of {total:,} ({share:.1%})"
    color = " color: var(--on-heat);" if share > 0.6 else ""
    return (
        f'<td style="background: rgba(var(--heat), {share:.3f});{color}">'
        f'<button type="button" data-cell="{true},{predicted}" '
        f'data-count="{count}" aria-pressed="false" title="{text(title)}">'
        f"{count or ''}&#8203;</button></td>"
    )


def cells_json(cells: Mapping[tuple[int, int], Sequence[Shown]]) -> str:
    """Returns photos by (true label, predicted label) for the page's script."""
    return script_json(
        {
            f"{true},{predicted}": [
                (
                    "".join(map(_base64, photo.images[:1])),
                    valid_utf8(photo.name),
                    photo.caption,
                )
                for photo in photos
            ]
            for (true, predicted), photos in cells.items()
        }
    )


def photo_grid(photos: Sequence[Shown]) -> str:
    """Returns photos in a grid."""
    figures = "".join(
        f'<figure><div class="frame">{_images(photo)}</div><figcaption>'
        f"{text(photo.caption)}<small>{text(photo.name)}</small>"
        "</figcaption></figure>"
        for photo in photos
    )
    two = " pairs" if any(len(photo.images) == 2 for photo in photos) else ""
    return f'<div class="photos{two}">{figures or "None"}</div>'


def _images(photo):
    images = (
        f'<img alt="{text(photo.name)}" {_jpeg_source(image)}>'
        for image in photo.images
    )
    return (
        "".join(images) or '<span class="gone">can\'t be read any more</span>'
    )


def picture(image: bytes | None, caption: str) -> str:
    """Returns a large JPEG file under its caption; nothing without one."""
    if image is None:
        return ""
    return (
        f'<p class="soft">{text(caption)}</p>'
        f'<img class="picture" alt="" {_jpeg_source(image)}>'
    )


def text(value: object) -> str:
    """Returns a value as text that is no markup."""
    return escape(valid_utf8(str(value)))


def _jpeg_source(image):
    return f'src="data:image/jpeg;base64,{_base64(image)}"'


def _base64(content):
    return base64.b64encode(content).decode("ascii")
