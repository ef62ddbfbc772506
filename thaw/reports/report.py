"""report.html: one page on a run, in one file that needs no network."""

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np

_TEMPLATE = Path(__file__).with_suffix(".html")
_MOST_CLASSES = 30  # in the table that can be clicked
_FEW_CLASSES = 5  # whose names fit beside each other


class Shown(NamedTuple):
    """A photo on the page.

    Attributes:
        images: JPEG files, one or two beside each other; empty: the photo
            cannot be read any more.
        caption: What is to be said of it.
        name: Of its file.
    """

    images: Sequence[bytes]
    caption: str
    name: str


class Page(NamedTuple):
    """All that is on the page.

    Attributes:
        title: Name of the run.
        verdict: One sentence.
        tiles: (number, what it is, what to know about it).
        advice: (command, reason) of what to try next.
        curves: PNG files: history.
        numbers: PNG files: how good it is.
        confusion_picture: PNG file of the whole matrix.
        class_counts: PNG file: photos of each class.
        augmented: JPEG file: photos as they are trained on, or None.
        class_names: Names of the C classes.
        confusion: Photos by right and predicted class, (C, C).
        cells: Photos of the cells that can be clicked, by (right, predicted).
        class_rows: Table of the classes, the titles first.
        mistakes: The worst of them.
        doubtful: Photos that it is least sure of.
        suspected: Photos whose labels may be wrong.
        suspected_words: What was found about labels.
        frozen: (what, value) about what was frozen and what moved.
        data: (what, value) about the photos.
        how: (what, value) about machine and versions.
        command: What repeats the run.
    """

    title: str
    verdict: str
    tiles: Sequence[tuple[str, str, str]]
    advice: Sequence[tuple[str, str]]
    curves: Sequence[bytes]
    numbers: Sequence[bytes]
    confusion_picture: bytes
    class_counts: bytes
    augmented: bytes | None
    class_names: Sequence[str]
    confusion: np.ndarray
    cells: Mapping[tuple[int, int], Sequence[Shown]]
    class_rows: Sequence[Sequence[str]]
    mistakes: Sequence[Shown]
    doubtful: Sequence[Shown]
    suspected: Sequence[Shown]
    suspected_words: str
    frozen: Sequence[tuple[str, str]]
    data: Sequence[tuple[str, str]]
    how: Sequence[tuple[str, str]]
    command: str


def build_report(page: Page) -> str:
    """Returns the page as HTML. Every name in it is text, never markup."""
    sections = [
        _section("What to try next", _advice(page.advice)),
        _section("How training went", _charts(page.curves)),
        _section("How good it is", _charts(page.numbers)),
        _section("Classes", _table(page.class_rows)),
        _section("Which class is taken for which", _confusion(page)),
        _section(
            "Worst mistakes",
            _photos(
                page.mistakes,
                "Wrong, the surest first. Beside each photo, as the model "
                "sees it, where it sees the class that it predicts (Grad-CAM).",
                "There are none.",
            ),
        ),
        _section(
            "Most doubtful",
            _photos(
                page.doubtful,
                "The photos whose two likeliest classes are closest.",
                "There are none.",
            ),
        ),
        _section(
            "Suspected wrong labels",
            _photos(page.suspected, page.suspected_words, page.suspected_words),
        ),
        _section("What was frozen, and what moved", _pairs(page.frozen)),
        _section("Photos", _data(page)),
        _section(
            "How to repeat it",
            f"<pre>{_text(page.command)}</pre>{_pairs(page.how)}",
        ),
    ]
    tiles = [
        f'<div class="tile"><span>{_text(what)}</span><b>{_text(number)}</b>'
        f"<span>{_text(note)}</span></div>"
        for number, what, note in page.tiles
    ]
    return Template(_TEMPLATE.read_text("utf-8")).substitute(
        title=_text(page.title),
        verdict=_text(page.verdict),
        tiles="".join(tiles),
        sections="\n".join(filter(None, sections)),
        cells=_as_json(page.cells),
    )


def _section(title, body):
    return f"<section><h2>{_text(title)}</h2>{body}</section>" if body else ""


def _advice(advice):
    if not advice:
        return "<p>Nothing in the numbers speaks for a change.</p>"
    items = [
        f"<li>{_text(reason)}<pre>{_text(command)}</pre></li>"
        for command, reason in advice
    ]
    return f'<ol class="try">{"".join(items)}</ol>'


def _charts(pictures):
    if not pictures:
        return ""
    one = " one" if len(pictures) == 1 else ""
    images = [
        f'<img class="chart" alt="" src="data:image/png;base64,{_base64(x)}">'
        for x in pictures
    ]
    return f'<div class="charts{one}">{"".join(images)}</div>'


def _table(rows):
    titles, *others = rows
    head = "".join(f"<th>{_text(title)}</th>" for title in titles)
    body = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>"
        for row in others
    )
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def clickable_classes(counts: np.ndarray) -> np.ndarray:
    """Returns the classes whose cells can be clicked: those most mistaken.

    Args:
        counts: Photos by right and predicted class, (C, C).
    """
    counts = np.asarray(counts)
    wrong = counts - np.diag(np.diag(counts))
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return np.sort(np.argsort(-mistakes, kind="stable")[:_MOST_CLASSES])


def _confusion(page):
    counts, names = np.asarray(page.confusion), page.class_names
    chosen = clickable_classes(counts)
    words = "Hover for the numbers, click for the photos."
    picture = ""
    if len(names) > _MOST_CLASSES:
        words = f"The {_MOST_CLASSES} classes with the most mistakes. {words}"
        picture = _charts([page.confusion_picture])
    totals = np.maximum(counts.sum(axis=1), 1)
    rows = []
    for right in chosen:
        cells = [
            _cell(counts[right, x], totals[right], right, x, names)
            for x in chosen
        ]
        name = _text(names[right])
        rows.append(f'<tr><th title="{name}">{name}</th>{"".join(cells)}</tr>')
    few = ' class="few"' if len(chosen) <= _FEW_CLASSES else ""
    head = "".join(
        f'<th class="name" title="{_text(names[x])}">{_text(names[x])}</th>'
        for x in chosen
    )
    return (
        f'<p class="soft">Rows: the right class; columns: what it is taken '
        f'for. <span class="screen">{words}</span></p>'
        f'<div class="scroll"><table id="confusion"{few}><thead><tr><th></th>'
        f"{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f'<div id="shown" aria-live="polite"></div>{picture}'
    )


def _cell(count, total, right, predicted, names):
    share = count / total
    taken = (
        "recognized"
        if right == predicted
        else (f"taken for {names[predicted]}")
    )
    title = f"{names[right]}, {taken}: {count:,} of {total:,} ({share:.1%})"
    color = " color: var(--on-heat);" if share > 0.6 else ""
    return (
        f'<td style="background: rgba(var(--heat), {share:.3f});{color}">'
        f'<button type="button" data-cell="{right},{predicted}" '
        f'data-count="{count}" aria-pressed="false" title="{_text(title)}">'
        f"{count or ''}&#8203;</button></td>"
    )


def _photos(photos, words, words_of_none):
    if not photos:
        return f"<p>{_text(words_of_none)}</p>" if words_of_none else ""
    figures = []
    for photo in photos:
        images = "".join(
            f'<img alt="{_text(photo.name)}" '
            f'src="data:image/jpeg;base64,{_base64(image)}">'
            for image in photo.images
        )
        images = images or '<span class="gone">cannot be read any more</span>'
        figures.append(
            f'<figure><div class="frame">{images}</div><figcaption>'
            f"{_text(photo.caption)}<small>{_text(photo.name)}</small>"
            "</figcaption></figure>"
        )
    pairs = " pairs" if any(len(photo.images) == 2 for photo in photos) else ""
    return (
        f'<p class="soft">{_text(words)}</p>'
        f'<div class="photos{pairs}">{"".join(figures)}</div>'
    )


def _data(page):
    body = _pairs(page.data) + _charts([page.class_counts])
    if page.augmented is not None:
        body += (
            '<p class="soft">As it is trained on, each photo twice:</p>'
            '<img class="picture" alt="" src="data:image/jpeg;base64,'
            f'{_base64(page.augmented)}">'
        )
    return body


def _pairs(pairs):
    rows = "".join(
        f"<dt>{_text(what)}</dt><dd>{_text(value)}</dd>"
        for what, value in pairs
    )
    return f"<dl>{rows}</dl>" if pairs else ""


def _as_json(cells):
    value = {
        f"{right},{predicted}": [
            (
                _base64(photo.images[0]) if photo.images else "",
                _printable(photo.name),
                photo.caption,
            )
            for photo in photos
        ]
        for (right, predicted), photos in cells.items()
    }
    # In a script element "</" would end it, and "<!--" change what ends it.
    return json.dumps(value).replace("<", "\\u003c")


def _text(text):
    return escape(_printable(str(text)))


def _printable(text):
    # Names of files are bytes; not every one is valid UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def _base64(content):
    return base64.b64encode(content).decode("ascii")
