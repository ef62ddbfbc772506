"""The text of `--help`, by section."""

import textwrap
from collections.abc import Sequence
from types import ModuleType

from thaw.option import Option
from thaw.options import Config, options

_WIDTH, _INDENT = 80, 30  # columns


def help_text(command: ModuleType) -> str:
    """Returns the docstring of a command and, by section, its flags."""
    lines = [(command.__doc__ or "").strip()]
    for config in command.CONFIGS:
        lines += _help_lines(config)
    lines += ["", "  --flagfile=FILE             Read flags from FILE."]
    without = _without_flag(command.CONFIGS)
    if without:
        text = f"Set an option that has no flag: {', '.join(without)}."
        lines += _two_columns("  --set NAME=VALUE", text)
    return "\n".join(lines)


def _help_lines(config: type[Config]) -> list[str]:
    lines, section = [], None
    for one in options(config).values():
        if one.section != section:
            section = one.section
            heading = "Flags" if section == "Attributes" else section
            lines += ["", f"{heading}:"]
        if one.flag:
            lines += _flag_help(one)
    return lines


def _without_flag(configs: Sequence[type[Config]]) -> list[str]:
    return [
        name
        for config in configs
        for name, one in options(config).items()
        if not one.flag
    ]


def _flag_help(one: Option) -> list[str]:
    if one.kind == "bool":
        head = f"  --[no]{one.name}"
    elif one.choices and one.kind != "tuple":
        head = f"  --{one.name}={'|'.join(one.choices)}"
    else:
        kind = "PERCENT" if one.is_share else one.kind.upper()
        kind = {"TUPLE": "A,B", "STR": "STRING"}.get(kind, kind)
        head = f"  --{one.name}={kind}"
    facts = []
    if one.default is not None:
        facts.append(f"default: {_default(one)}")
    if one.low is not None and one.high is not None and not one.is_share:
        facts.append(f"{one.low:,g} to {one.high:,g}")
    help_text = one.help.replace("`", "")
    return _two_columns(
        head, f"{help_text} ({'; '.join(facts)})" if facts else help_text
    )


def _default(one):
    name, _, text = one.to_flag(one.default)[2:].partition("=")
    if one.kind == "bool":
        return "on" if one.default else "off"
    return text


def _two_columns(head: str, text: str) -> list[str]:
    wrapped = textwrap.wrap(text, _WIDTH - _INDENT)
    if len(head) < _INDENT - 1:
        wrapped[0] = f"{head:{_INDENT}}{wrapped[0]}"
    else:
        wrapped.insert(0, head)
    return wrapped[:1] + [" " * _INDENT + line for line in wrapped[1:]]
