"""Options: fields of dataclasses with bounds, a help text and a text form.

A command has one frozen dataclass, in which each of its options stands once.
Its flags, `--help`, flagfiles, flags.txt, run.json and Python keywords are all
made of it.
"""

import dataclasses
import difflib
import inspect
import types
import typing
from collections.abc import Iterable, Mapping

from thaw.errors import UserError
from thaw.option import Option


def option(default: object, help: str = "", **facts) -> typing.Any:
    """Returns a dataclass field; arguments as of `Option`.

    Its help, and the section of `--help` it is in, stand in the docstring of
    the class, under a heading such as `Data:`.
    """
    if help:
        facts["help"] = help
    return dataclasses.field(default=default, metadata={"facts": facts})


@dataclasses.dataclass(frozen=True, init=False)
class Config:
    """Base of the dataclasses of options.

    Attributes:
        given: Names of the options that were given, rather than left at
            their default.

    Example:

    ```python
    config = TrainConfig(epochs=5, learning_rate=1e-4)
    longer = dataclasses.replace(config, epochs=20)
    ```
    """

    given: frozenset[str] = dataclasses.field(
        default=frozenset(), repr=False, compare=False
    )

    def __init__(self, *, given: Iterable[str] | None = None, **values: object):
        """Takes any of the options.

        Args:
            given: Names that count as given, besides those whose value is not
                the default; None: all of `values`.
            **values: Values by name.

        Raises:
            UserError: If an option is unknown, of another type, out of bounds
                or contradicts another one.
        """
        known = options(type(self))
        for name in values:
            if name not in known:
                raise unknown_option(name, known)
        for name, one in known.items():
            value = one.check(values.get(name, one.default))
            object.__setattr__(self, name, value)
        if given is None:
            given = values
        else:
            given = set(given) & known.keys() | {
                name
                for name, one in known.items()
                if getattr(self, name) != one.default
            }
        object.__setattr__(self, "given", frozenset(given))
        self.validate()

    def validate(self) -> None:
        """Raises a `UserError` if options contradict each other."""

    def to_dict(self) -> dict[str, typing.Any]:
        """Returns the values of all options, by name, for JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in (
                (name, getattr(self, name)) for name in options(type(self))
            )
        }

    def to_flags(self) -> list[str]:
        """Returns the options that were given as lines of a flagfile."""
        return [
            one.to_flag(getattr(self, name))
            for name, one in sorted(options(type(self)).items())
            if name in self.given
        ]


def options(config: type[Config]) -> dict[str, Option]:
    """Returns the options of a dataclass, by name, in their order."""
    hints, documented = typing.get_type_hints(config), _documented(config)
    return {
        field.name: _make_option(field, hints[field.name], documented)
        for field in dataclasses.fields(config)
        if field.metadata
    }


def _documented(config):
    """Returns section and help of each option in the docstring, by name."""
    section, name, found = None, None, {}
    for line in inspect.cleandoc(config.__doc__ or "").split("\n"):
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if not indent:
            section = text.removesuffix(":")
        elif indent == 4:
            name, _, text = text.partition(": ")
            found[name] = section, text
        elif name in found and text:
            found[name] = found[name][0], f"{found[name][1]} {text}"
    return found


def read_setting(setting: str, known: Mapping[str, Option]) -> tuple[str, str]:
    """Returns the name and the text of a line of a flagfile.

    Args:
        setting: `name=value`; or `name` or `noname` alone; in front may be
            hyphens.
        known: Options by name.
    """
    name, equals, text = setting.lstrip("-").partition("=")
    name = name.replace("-", "_")
    if equals:
        return name, text
    for positive in (name.removeprefix("no_"), name.removeprefix("no")):
        if positive != name and positive in known and name not in known:
            return positive, "false"
    alone = known[name].alone if name in known else None
    return name, alone or "true"


def parse_text(name: str, text: str, known: Mapping[str, Option]) -> typing.Any:
    """Returns the value of an option that is given as text.

    Raises:
        UserError: If there is no such option, or the text is no value of it.
    """
    if name not in known:
        raise unknown_option(name, known)
    return known[name].parse(text)


def unknown_option(name: str, known: Iterable[str]) -> UserError:
    """Returns the error for an option that doesn't exist."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return UserError(f"Unknown option `{name}`.{hint}")


def _make_option(field, hint, documented):
    parts = [hint]
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        parts = list(typing.get_args(hint))
    optional = type(None) in parts
    parts = [part for part in parts if part is not type(None)]
    kind = (typing.get_origin(parts[0]) or parts[0]).__name__
    if len(parts) > 1:
        kind = "rate"
    section, help_text = documented.get(field.name, (None, ""))
    facts = {"section": section, "help": help_text, **field.metadata["facts"]}
    facts["choices"] = tuple(facts.get("choices", ()))
    return Option(
        field.name, field.default, kind=kind, optional=optional, **facts
    )
