"""The page: one file, which loads nothing from elsewhere."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

_TEMPLATE = Path(__file__).with_suffix(".html")
_FACTS = "FACTS"  # where they go in the template


class Page(NamedTuple):
    """The page, and its Content-Security-Policy."""

    content: bytes
    policy: str


def build_page(facts: dict) -> Page:
    """Returns the page.

    Args:
        facts: What its script shows; see page.html.
    """
    template = _TEMPLATE.read_text("utf-8")
    # Only what is written in the template may run, and style it.
    style, script = (_hash_of(template, tag) for tag in ("<style>", "<script>"))
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; "
        "img-src data: blob:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    # In a script element "</" would end it, and "<!--" change what ends it.
    text = json.dumps(facts).replace("<", "\\u003c")
    return Page(template.replace(_FACTS, text, 1).encode(), policy)


def _hash_of(template, tag):
    """Returns what allows the content of the element `tag`."""
    end = tag.replace("<", "</")
    (content,) = re.findall(f"{tag}(.*?){end}", template, re.DOTALL)
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
