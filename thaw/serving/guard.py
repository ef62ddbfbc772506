"""Who may ask: this machine's own pages and programs.

A page of another site, open in the same browser, can send requests to servers
on this machine as well: under its own name (`Origin`, `Sec-Fetch-Site`), or, if
it has its name point to 127.0.0.1, as if they were its own (DNS rebinding),
which then is the name in `Host`.
"""

import ipaddress
from email.message import Message
from urllib.parse import urlsplit


class Refused(Exception):
    """A request that is not served.

    Attributes:
        status: HTTP status.
        message: What is wrong, what was expected, how to go on.
        headers: More headers of the answer.
    """

    def __init__(self, status: int, message: str, **headers: str):
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = {
            name.replace("_", "-"): text for name, text in headers.items()
        }


def check_host(headers: Message, names: set[str]) -> None:
    """Raises `Refused` unless the request was meant for this machine.

    Args:
        headers: Of the request.
        names: Host names that are this machine, besides `localhost`.
    """
    hosts = headers.get_all("Host", [])
    name = _name_of(hosts[0]) if len(hosts) == 1 else None
    if name is None or not (is_loopback(name) or name in names):
        raise Refused(
            403,
            "This server answers to this machine only. Open it as "
            "http://127.0.0.1 or http://localhost, with its port.",
        )


def check_same_site(headers: Message) -> None:
    """Raises `Refused` if the page of another site sends the request.

    What is no browser sends none of these headers.
    """
    origins = headers.get_all("Origin", [])
    site = headers.get("Sec-Fetch-Site", "none")
    if site not in ("same-origin", "none") or any(
        origin.partition("://")[2].lower() != headers.get("Host", "").lower()
        for origin in origins
    ):
        raise Refused(403, "Pages of other sites may not send photos here.")


def is_loopback(host: str) -> bool:
    """Returns whether a host name or address is this machine for itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _name_of(host):
    """Returns `name` of `name:port`, in lower case; None if it is neither."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises where it is no number
        is_whole = parts.netloc == host and parts.username is None
        return parts.hostname if is_whole else None
    except ValueError:
        return None
