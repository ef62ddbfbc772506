import pytest

from thaw.duration import parse_duration
from thaw.errors import UserError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1.5h", 5400), ("600", 600), ("3 min", 180)],
)
def test_a_duration_is_read(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-5m", "ten", "5d", "nan"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(UserError, match="e.g. 90s, 10m or 1h. Received"):
        parse_duration(text)
