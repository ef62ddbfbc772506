import json

import numpy as np
import pytest

from thaw.errors import UserError
from thaw.search.candidates import Candidate
from thaw.search.record import Record
from thaw.search.trial import Trial

LATE = Candidate("late", 1e-4, "flip")


def trial(candidate, epochs):
    losses = np.arange(3, dtype="float32")
    return Trial(candidate, epochs, losses, 1.2, 5.0, 1.5)


def test_what_was_recorded_is_found_again(tmp_path):
    record = Record(tmp_path)
    record.add(trial(LATE, 3), 12.5)
    again = Record(tmp_path)
    assert again.seconds_before == 12.5
    found = again.find(LATE, 3)
    assert (found.temperature, found.seconds) == (1.2, 5.0)
    np.testing.assert_array_equal(found.losses, [0, 1, 2])
    assert again.find(LATE, 1) is None
    header, row = (tmp_path / "search.csv").read_text().splitlines()
    assert row.startswith("1,late,0.0001,flip,3,1.0,1.2,")
    again.end()
    assert Record(tmp_path).trials == []


@pytest.mark.parametrize(
    "state",
    [[], {}, {"seconds": "x", "trials": []}, {"seconds": 1, "trials": [{}]}],
)
def test_a_damaged_record_is_named(state, tmp_path):
    (tmp_path / "search.json").write_text(json.dumps(state))
    with pytest.raises(UserError, match="search.json"):
        Record(tmp_path)
