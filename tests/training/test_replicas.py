import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT
from thaw import device
from thaw.config import TrainConfig
from thaw.errors import UserError


@pytest.mark.slow
@pytest.mark.process
def test_two_devices_train_as_one():
    own = {x: y for x, y in os.environ.items() if x != "THAW_TESTS_COUNT"}
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider",
            "tests/training/two_devices.py",
        ],
        cwd=ROOT, env=own, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"num_gpus": 8},
            "Received: `batch_size=20`, `num_gpus=8`. E.g. `batch_size=24`.",
        ),
        ({"num_gpus": 0}, "`num_gpus` must be an integer from 1 to 64."),
        ({"train_batch_norm": True}, "statistics of whole batches"),
        ({"precision": "mixed_float16"}, "use mixed_bfloat16"),
        ({"budget": "5m"}, "tries candidates on one GPU"),
        ({"epochs": 0}, "`head=linear` with `epochs=0` has none"),
    ],
)
def test_what_several_gpus_cannot_do_is_refused(options, message):
    with pytest.raises(UserError) as error:
        TrainConfig(**{"num_gpus": 2} | options)
    assert message in str(error.value)


def test_a_trained_head_and_a_range_test_have_steps_to_divide():
    TrainConfig(num_gpus=2, epochs=0, head="dense")
    TrainConfig(num_gpus=2, epochs=0, learning_rate="find")


def test_more_gpus_than_there_are_are_refused():
    with pytest.raises(UserError, match="`num_gpus=64`: TensorFlow finds"):
        device.training_gpus(64)
    assert device.training_gpus(1) == []
