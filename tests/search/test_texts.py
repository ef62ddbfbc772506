import pytest

from thaw.search.texts import duration, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.44, "0.4 s"),
        (2.96, "3 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (100.4, "1 min 40 s"),
        (3599.6, "1 h"),
        (7530, "2 h 6 min"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [(37.4e6, "37 MB"), (0.44e9, "0.4 GB"), (12e9, "12.0 GB")],
)
def test_size(num_bytes, text):
    assert size(num_bytes) == text
