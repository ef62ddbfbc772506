import pytest

from thaw.data.outside import check_outside_data
from thaw.errors import UserError


def test_a_folder_among_the_photos_is_refused(tmp_path):
    check_outside_data("run_dir", tmp_path / "runs", tmp_path / "photos")
    with pytest.raises(UserError, match="`run_dir`: .* is inside"):
        check_outside_data("run_dir", tmp_path / "photos/x", tmp_path)
