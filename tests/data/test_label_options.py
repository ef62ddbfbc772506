import pytest

from thaw.cli.commands.doctor import DoctorConfig
from thaw.cli.commands.evaluate import EvaluateConfig
from thaw.config import TrainConfig
from thaw.data.label_options import LabelOptions
from thaw.data.photo_report import check_photos
from thaw.errors import UserError


@pytest.mark.parametrize("kind", [TrainConfig, EvaluateConfig, DoctorConfig])
def test_they_are_options_of_each_command_that_loads_labels(kind):
    given = {name: "x" for name in LabelOptions._fields}
    given["class_folders"] = ("x",)
    options = LabelOptions.of_config(kind(**given))
    assert options._asdict() == given


def test_a_misspelt_one_is_no_problem_of_photos(drawn_photos):
    with pytest.raises(UserError, match="label_regx"):
        check_photos(drawn_photos, label_regx="(.)")
