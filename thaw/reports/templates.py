"""Jinja templates of the report and of the model card."""

import base64
from pathlib import Path

import jinja2


def make_environment(**options) -> jinja2.Environment:
    """Returns an environment that loads the templates of this folder.

    Args:
        **options: Of `jinja2.Environment`, e.g. `autoescape`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **options,
    )
    environment.filters["base64"] = lambda x: base64.b64encode(x).decode()
    return environment
