from email.message import Message

import pytest

from thaw.serving.guard import Refused, check_host, check_same_site


def headers(**fields):
    message = Message()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:7860",
        "127.0.0.1",
        "127.8.8.8:1",
        "localhost:7860",
        "LocalHost",
        "[::1]:7860",
        "laptop:7860",
    ],
)
def test_names_of_this_machine_are_let_in(host):
    check_host(headers(Host=host), {"laptop"})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:7860",
        "127.0.0.1.evil.example",
        "localhost.evil.example:7860",
        "evil.example#127.0.0.1",
        "evil.example/@127.0.0.1",
        "user@127.0.0.1",
        "127.0.0.1:port",
        "192.168.0.7:7860",
        "[::1",
        "",
        "127.0.0.1, evil.example",
    ],
)
def test_other_names_are_not(host):
    with pytest.raises(Refused, match="answers to this machine only"):
        check_host(headers(Host=host), {"laptop"})


def test_a_request_has_one_host():
    two = headers(Host="127.0.0.1")
    two["Host"] = "evil.example"
    for message in (headers(), two):
        with pytest.raises(Refused):
            check_host(message, set())


@pytest.mark.parametrize(
    "fields",
    [
        {},  # curl
        {"Origin": "http://127.0.0.1:7860", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://127.0.0.1:7860"},  # behind a proxy
        {"Sec_Fetch_Site": "none"},
    ],
)
def test_the_page_itself_and_programs_may_send(fields):
    check_same_site(headers(Host="127.0.0.1:7860", **fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "http://localhost:7860"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "http://127.0.0.1:7860", "Sec_Fetch_Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_may_not(fields):
    with pytest.raises(Refused, match="other sites"):
        check_same_site(headers(Host="127.0.0.1:7860", **fields))
