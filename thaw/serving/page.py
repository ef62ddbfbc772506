"""The web page: one HTML file without external resources."""

import base64
import hashlib
import re
from pathlib import Path

from jinja2.utils import htmlsafe_json_dumps

_TEMPLATE = Path(__file__).with_suffix(".html")
_FACTS = "FACTS"  # where they go in the template


def build_page(facts: dict) -> tuple[str, str]:
    """Returns the page, and its Content-Security-Policy.

    Args:
        facts: Facts of the run that its script shows; see page.html.
    """
    template = _TEMPLATE.read_text("utf-8")
    # Only what is written in the template may run, and style it.
    style, script = (_hash_of(template, tag) for tag in ("<style>", "<script>"))
    policy = (
        f"default-src 'none'; script-src {script}; style-src {style}; "
        "img-src data: blob:; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return template.replace(_FACTS, htmlsafe_json_dumps(facts), 1), policy


def _hash_of(template, tag):
    """Returns the source expression that allows the element `tag`."""
    end = tag.replace("<", "</")
    (content,) = re.findall(f"{tag}(.*?){end}", template, re.DOTALL)
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
