import io
import sys
import types

import pytest

from thaw import progress
from thaw.progress import Progress


class Clock:
    now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_one_line_is_drawn_anew(clock, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    count = Progress(1200)
    for done in range(201, 802):  # 200 are known from before
        clock.now += 1 / 64
        count(done)
    clock.now += 1
    count.end()
    drawn = terminal.getvalue().split("\r")
    assert 40 < len(drawn) < 60  # five a second
    assert drawn[1].startswith("\u2501" * 3 + "\u2500" * 17 + " 213 of 1,200")
    assert drawn[1].rstrip().endswith("photos, 64 a second, 15 s left")
    assert max(map(len, drawn)) <= 80
    assert drawn[-2] == " " * 80 and drawn[-1] == ""
    printed = capsys.readouterr().out
    assert printed == (
        "Checked 1,200 photos, 200 known from before, 58 a second\n"
    )


def test_in_a_notebook_one_line_is_replaced(clock, monkeypatch, capsys):
    lines, updates = [], []

    def display(line, raw, display_id):
        assert raw and display_id is True
        lines.append(line["text/plain"])
        return types.SimpleNamespace(
            update=lambda line, raw: updates.append(line["text/plain"])
        )

    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(
        sys.modules,
        "IPython",
        types.SimpleNamespace(get_ipython=lambda: shell),
    )
    monkeypatch.setitem(
        sys.modules, "IPython.display", types.SimpleNamespace(display=display)
    )
    count = Progress(100)
    for done in range(1, 101):
        clock.now += 1 / 4
        count(done)
    count.end()
    (first,) = lines
    assert first.endswith("1 of 100 photos, 4 a second, 25 s left")
    assert len(updates) == 100 and updates[-1] == ""
    assert updates[-2].startswith("\u2501" * 20 + " 100 of 100 photos")
    printed = capsys.readouterr()
    assert printed.err == "" and "Checked 100 photos" in printed.out


def test_elsewhere_it_says_something_every_half_minute(clock, capsys):
    count = Progress(100)
    for done in range(1, 101):
        clock.now += 1.5
        count(done)
    count.end()
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "21 of 100 photos, 1 a second, 118 s left",
        "42 of 100 photos, 1 a second, 87 s left",
        "63 of 100 photos, 1 a second, 56 s left",
        "84 of 100 photos, 1 a second, 24 s left",
    ]
    assert printed.out == "Checked 100 photos, 1 a second\n"


def test_nothing_new(capsys):
    Progress(7).end()
    printed = capsys.readouterr()
    assert printed.out == "Checked 7 photos, all known from before\n"
    assert printed.err == ""


def test_the_total_need_not_be_known(clock, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    count = Progress(None, "compared")
    for done in range(1, 65):
        clock.now += 1 / 64
        count(done)
    count.clear()
    *_, drawn, blank, end = terminal.getvalue().split("\r")
    assert drawn == "52 compared, 64 a second "
    assert blank == " " * 80 and end == ""


def test_a_line_is_shown_while_something_goes_on(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.shown("x" * 100):
        assert terminal.getvalue() == "\r" + "x" * 79
    assert terminal.getvalue().endswith("\r" + " " * 80 + "\r")


def test_no_line_is_shown_elsewhere(capsys):
    with progress.shown("line"):
        pass
    assert capsys.readouterr() == ("", "")
