import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thaw.work.part import Part
from thaw.work.units import Unit, choose_size, count_photos, plan_units


def test_a_plan_by_hand():
    missing = np.array([1, 1, 1, 0, 1, 0, 0, 0, 1], bool)
    units, next_number = plan_units(missing, 3, first=10, view=2, source=1)
    assert next_number == 13
    assert [(x.number, x.view, x.source) for x in units] == [
        (10, 2, 1), (11, 2, 1), (12, 2, 1),
    ]  # fmt: skip
    assert units[0] == Unit(10, 2, range(3), 1)
    assert [list(x.rows) for x in units[1:]] == [[4], [8]]
    assert count_photos(units) == 5


@given(
    st.lists(st.booleans(), max_size=60),
    st.integers(1, 7),
    st.integers(1, 5),
)
def test_parts_hold_each_missing_photo_once(missing, size, count):
    units, _ = plan_units(np.array(missing, bool), size)
    parts = [Part(number, count).take(units) for number in range(1, count + 1)]
    rows = [row for part in parts for unit in part for row in unit.rows]
    assert sorted(rows) == np.flatnonzero(missing).tolist()


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 7))
def test_what_is_done_leaves_the_numbers_of_the_others(missing, size):
    missing = np.array(missing, bool)
    whole, _ = plan_units(np.ones(len(missing), bool), size)
    units, _ = plan_units(missing, size)
    rows = {unit.number: unit.rows for unit in whole}
    for unit in units:
        assert set(unit.rows) <= set(rows[unit.number])


@given(
    st.integers(0, 10**7),
    st.integers(1, 500),
    st.integers(1, 300),
    st.integers(1, 4000),
)
def test_a_unit_is_whole_batches(num_photos, batch_size, workers, most):
    size = choose_size(num_photos, batch_size, workers, most)
    assert size % batch_size == 0 and size >= batch_size
    assert size <= max(batch_size, min(most, 2000))


def test_sizes_by_hand():
    assert choose_size(200, 20, workers=2) == 20  # 25, whole batches
    assert choose_size(10**6, 32, workers=10) == 1984
    assert choose_size(10**6, 20, workers=10, most=404) == 400
    assert choose_size(5, 20, workers=2) == 20
