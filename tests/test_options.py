import dataclasses
import json

import numpy as np
import pytest

from thaw.config import TrainConfig
from thaw.errors import UserError
from thaw.options import Config, option, options, parse_text, read_setting


@dataclasses.dataclass(frozen=True, init=False)
class Sample(Config):
    """Options of a test.

    Numbers:
        number: A number, whose help
            takes two lines.
        share: A share.

    Others:
        words: Words.
        flag: A switch.
    """

    number: int = option(3, low=1, high=9)
    share: float = option(0.0, low=0, high=1, is_share=True, alone="100%")
    words: tuple[str, ...] = option(("a",), choices=("a", "b"))
    flag: bool = option(True)
    name: str | None = option(None)


def test_options_hold_their_defaults_and_those_that_were_given():
    config = Sample(number=4)
    assert (config.number, config.words, config.name) == (4, ("a",), None)
    assert config.given == {"number"}
    assert config.to_flags() == ["--number=4"]
    assert Sample(number=3).to_flags() == ["--number=3"]
    assert json.loads(json.dumps(config.to_dict())) == {
        "number": 4, "share": 0.0, "words": ["a"], "flag": True, "name": None,
    }  # fmt: skip


def test_help_and_sections_stand_in_the_docstring():
    known = options(Sample)
    assert known["number"].help == "A number, whose help takes two lines."
    assert [x.section for x in known.values()] == [
        "Numbers", "Numbers", "Others", "Others", None,
    ]  # fmt: skip
    assert all(x.help for x in options(TrainConfig).values())


def test_one_is_changed_with_replace():
    config = dataclasses.replace(Sample(flag=False), number=5)
    assert config == Sample(flag=False, number=5)
    assert config.given == {"flag", "number"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.number = 6


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"numbr": 1}, "Unknown option `numbr`. Did you mean `number`?"),
        ({"number": 0}, "`number` must be an integer from 1 to 9. Received: 0"),
        ({"number": True}, "Received: True"),
        ({"number": 2.5}, "Received: 2.5"),
        ({"share": 5}, "must be a share from 0 to 1"),
        ({"share": float("nan")}, "Received: nan"),
        ({"words": ["a", "c"]}, "must be one of a, b"),
        ({"words": []}, "Received: []"),
        ({"flag": 1}, "must be True or False"),
        ({"name": 7}, "must be a string"),
        ({"number": None}, "Received: None"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, message):
    with pytest.raises(UserError) as error:
        Sample(**values)
    assert message in str(error.value)


def test_numbers_and_paths_of_other_kinds_are_taken(tmp_path):
    config = Sample(number=np.int64(2), share=np.float32(0.5), name=tmp_path)
    assert type(config.number) is int and type(config.share) is float
    assert config.name == str(tmp_path)


@pytest.mark.parametrize(
    ("setting", "name", "value"),
    [
        ("--number=7", "number", 7),
        ("--share=5%", "share", 0.05),
        ("share", "share", 1.0),
        ("--noflag", "flag", False),
        ("--no-flag", "flag", False),
        ("-flag", "flag", True),
        ("--flag=false", "flag", False),
        ("words=a,b", "words", ("a", "b")),
        ("name=", "name", None),
        ("name=a=b", "name", "a=b"),
    ],
)
def test_lines_of_flagfiles_are_values_and_come_back(setting, name, value):
    known = options(Sample)
    read, text = read_setting(setting, known)
    assert (read, parse_text(read, text, known)) == (name, value)
    line = Sample(**{name: value}).to_flags()[0]
    assert parse_text(*read_setting(line, known), known) == value


@pytest.mark.parametrize("text", ["x", "1.5", "", "10"])
def test_text_that_is_no_value_is_refused(text):
    with pytest.raises(UserError, match="`number` must be an integer"):
        parse_text("number", text, options(Sample))


def test_every_option_of_a_training_comes_back_from_its_line():
    known = options(TrainConfig)
    for name, one in known.items():
        if one.default is None:
            continue
        text = read_setting(one.to_flag(one.default), known)
        assert parse_text(*text, known) == one.default, name
