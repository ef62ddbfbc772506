"""Photos that are inspected while TensorFlow is imported."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

from model_zoo.backbones import is_classifier_preset
from model_zoo.own_model import find_own_model
from thaw import progress
from thaw.config import TrainConfig
from thaw.progress import say
from thaw.training import own_backbone


@contextlib.contextmanager
def inspecting(
    config: TrainConfig, class_names: Sequence[str]
) -> Iterator[Callable]:
    """Finds the photos of a run; yields the function of `start_inspection`.

    In the context random numbers, dtype policy and Pillow's limits are those
    of the run.

    Args:
        config: Options of the run.
        class_names: Class names that come first.

    Raises:
        UserError: If there are no photos that fit.
    """
    # TensorFlow takes seconds to import: not before all that can be checked
    # without it.
    from thaw.data.prepare import find_photos, start_inspection

    found = find_photos(config, class_names)
    if find_own_model(config.backbone_name) is not None:
        say(own_backbone.describe_start(config, found[0].class_names))
    if is_classifier_preset(config.backbone_name):
        say(f"{config.backbone_name} is a classifier: its backbone is taken")
    # In processes, while TensorFlow is imported.
    with start_inspection(found, config) as inspect:
        with progress.heavy_imports():
            from thaw import isolation
            from thaw.data.pixels import pillow_limits
            from thaw.device import dtype_policy
            from thaw.training import begin  # noqa: F401
        with (
            isolation.seeded(config.seed),
            dtype_policy(config.precision),
            pillow_limits(),
        ):
            yield inspect
