import pytest

from thaw.errors import UserError
from thaw.work.part import Part
from thaw.work.units import Unit


@pytest.mark.parametrize(
    "text, part",
    [("1/1", Part(1, 1)), ("3/100", Part(3, 100)), (None, Part(1, 1))],
)
def test_a_part_is_read(text, part):
    assert Part.parse(text) == part


@pytest.mark.parametrize(
    "text", ["0/4", "5/4", "1/0", "1", "a/b", "1/4/2", "-1/4", "", "1.5/4"]
)
def test_a_part_that_there_is_not_is_refused(text):
    with pytest.raises(UserError, match="`part` must be .*Received: "):
        Part.parse(text)


def test_a_part_is_every_nth_unit_by_its_number():
    units = [Unit(n, 0, range(1)) for n in (0, 1, 2, 5, 7, 8)]  # 3 are done
    numbers = [[x.number for x in Part(i, 3).take(units)] for i in (1, 2, 3)]
    assert numbers == [[0], [1, 7], [2, 5, 8]]
