import sys

import pytest

from tests.support.paths import ROOT
from thaw.cli import __main__ as entry_point


def exit_status(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["/bin/thaw", *arguments])
    with pytest.raises(SystemExit) as exit:
        entry_point.main()
    return exit.value.code


def test_help_lists_the_commands(monkeypatch, capsys):
    for arguments in ([], ["--help"], ["-h"]):
        assert exit_status(monkeypatch, *arguments) == 0
        printed = capsys.readouterr().out
        for path in ROOT.glob("*.py"):
            assert path.stem in printed


def test_an_unknown_command_is_named(monkeypatch, capsys):
    assert exit_status(monkeypatch, "trian", "--epochs=3") == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert "thaw: no command 'trian'. Did you mean train?" in captured.err


def test_a_command_is_run_under_its_name(monkeypatch):
    def run(name):
        raise SystemExit((name, sys.argv))

    monkeypatch.setattr(entry_point.app, "run", run)
    assert exit_status(monkeypatch, "predict", "runs/latest") == (
        "predict",
        ["thaw predict", "runs/latest"],
    )
