"""Pages of docs/ that are made of the code: python -m tools.make_docs"""

import importlib
import inspect
import re
from pathlib import Path

import thaw
from thaw.cli.__main__ import COMMANDS
from thaw.cli.help import help_text

_DOCS = Path(__file__).parent.parent / "docs"
_SECTION = re.compile(r"([A-Z][\w ]*):$")


def command_line() -> str:
    """Returns the page of the flags of all commands."""
    parts = [
        "# Command line\n\nMade of `--help`. `thaw train` is the same as "
        "`python train.py`; hyphens and\nunderscores in flags are the same."
    ]
    for name in COMMANDS:
        command = importlib.import_module(f"thaw.cli.commands.{name}")
        parts.append(f"## {name}\n\n```\n{help_text(command)}\n```")
    return "\n\n".join(parts) + "\n"


def python_api() -> str:
    """Returns the page of the public classes and functions."""
    parts = ["# Python API\n\nMade of the docstrings of `import thaw`."]
    for name in thaw.__all__:
        public = getattr(thaw, name)
        parts.append(_entry(f"thaw.{name}", public, "##"))
        if inspect.isclass(public) and not issubclass(public, BaseException):
            parts += [
                _entry(f"{name}.{member}", value, "###")
                for member, value in vars(public).items()
                if inspect.isfunction(value)
                and not member.startswith("_")
                and value.__doc__
            ]
    return "\n\n".join(parts) + "\n"


def _entry(title, public, heading):
    """Returns heading, signature and docstring of a class or function."""
    lines = [f"{heading} `{title}`", ""]
    if not (inspect.isclass(public) and issubclass(public, BaseException)):
        lines += ["```python", _signature(title, public), "```", ""]
    is_code = False
    for line in inspect.getdoc(public).splitlines():
        section = _SECTION.match(line)
        item = re.match(r"    (\*{0,2}\w[\w, *]*): (.*)", line)
        if line.lstrip().startswith("```"):
            is_code = not is_code
        if is_code or line.lstrip().startswith("```"):
            lines.append(line)
        elif section:
            lines += [f"**{section[1]}**", ""]
        elif item:
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif line or lines[-1]:
            is_of_item = line and lines[-1].startswith(("- ", "  "))
            lines.append("  " * bool(is_of_item) + line.strip())
    return "\n".join(lines).rstrip()


def _signature(title, public):
    if inspect.isclass(public):
        return f"{title}(...)"
    parameters = inspect.signature(public).parameters.values()
    plain = [x.replace(annotation=x.empty) for x in parameters]
    if plain and plain[0].name == "self":
        plain = plain[1:]
    return f"{title}{inspect.Signature(plain)}"


PAGES = {"command-line.md": command_line, "python-api.md": python_api}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (_DOCS / name).write_text(make(), encoding="utf-8")
