"""Flags made from dataclasses of options; nothing is defined globally."""

import difflib
from collections.abc import Sequence

from absl import flags

from thaw.cli import flag_files
from thaw.errors import UserError
from thaw.option import Option
from thaw.options import Config, options, parse_text, read_setting
from thaw.runs.format1 import RENAMED

_FLAGFILE = "flag_file"  # absl would read a flag called `flagfile` itself


def parse(
    argv: Sequence[str], configs: Sequence[type[Config]]
) -> tuple[list[str], list[Config]]:
    """Returns the positional arguments, and the options of a command line.

    Hyphens and underscores in names of flags are the same. Defaults come
    first, then flagfiles in their order, then `--set`, then flags.

    Args:
        argv: Arguments, the name of the script first.
        configs: Dataclasses whose options are flags.

    Raises:
        UserError: If a flag is unknown or its value is wrong.
    """
    known = known_options(configs)
    parsed = _define(known)
    end = argv.index("--") if "--" in argv else len(argv)
    arguments = [_normalized(x, known) for x in argv[:end]] + [*argv[end:]]
    try:
        _, *positional = parsed(arguments)
    except flags.UnrecognizedFlagError as error:
        raise _unknown_flag(error.flagname, known) from error
    except (flags.Error, ValueError) as error:
        raise UserError(f"{error}.") from error
    values = {}
    for path in parsed[_FLAGFILE].value:
        values |= flag_files.read(path, known)
    for setting in parsed["set"].value:
        name, text = read_setting(setting, known)
        values[name] = parse_text(name, text, known)
    for name, one in known.items():
        if one.flag and parsed[name].present:
            value = parsed[name].value
            values[name] = value if one.kind == "bool" else one.parse(value)
    return positional, [
        config(**{x: values[x] for x in options(config) if x in values})
        for config in configs
    ]


def as_arguments(config: Config) -> list[str]:
    """Returns the options that were given as arguments of a command line."""
    known = options(type(config))
    arguments = []
    for line in config.to_flags():
        name, text = read_setting(line, known)
        has_flag = known[name].flag
        arguments.append(line if has_flag else f"--set={name}={text}")
    return arguments


def known_options(configs: Sequence[type[Config]]) -> dict[str, Option]:
    """Returns the options of several dataclasses, by name."""
    return {x: one for config in configs for x, one in options(config).items()}


def _define(known):
    """Returns absl's flags for some options, none of which is given."""
    parsed = flags.FlagValues()
    parsed.set_gnu_getopt(True)
    for name, one in known.items():
        if not one.flag:
            continue
        define = flags.DEFINE_string
        if one.kind == "bool":
            define = flags.DEFINE_boolean
        define(name, None, one.help, flag_values=parsed)
    for name in (_FLAGFILE, "set"):
        flags.DEFINE_multi_string(name, [], "", flag_values=parsed)
    return parsed


def _normalized(argument, known):
    """Returns `--unfreeze-from=x` as `--unfreeze_from=x`; values stay."""
    if not argument.startswith("-") or argument == "-":
        return argument
    name, equals, value = argument.lstrip("-").partition("=")
    name = name.replace("-", "_")
    if name.startswith("no_") and name not in known:
        name = name.replace("no_", "no", 1)  # --no-horizontal-flip
    if name == "flagfile":
        name = _FLAGFILE
    if not equals and name in known and known[name].alone:
        equals, value = "=", known[name].alone
    return f"--{name}{equals}{value}"


def _unknown_flag(given, known):
    name = RENAMED["flags.txt"].get(given, given)
    names = [x for x, one in known.items() if one.flag]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean --{near[0]}?" if near else ""
    if name in known:
        hint = f" It has no flag of its own: --set {name}=VALUE"
    return UserError(f"Unknown flag --{given}.{hint}")
