"""The example in the docstring of a public function or class."""

import inspect
import re


def code_of(thing) -> str:
    """Returns the code under `Example:`."""
    text = inspect.getdoc(thing)
    (code,) = re.findall(
        r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE
    )
    return code


def run_example(thing) -> dict:
    """Runs the code under `Example:` and returns its variables."""
    variables = {}
    exec(code_of(thing), variables)
    return variables
