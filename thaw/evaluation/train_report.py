"""What a run learned: train.py's last step."""

import numpy as np

from thaw.cli import train_flags as given
from thaw.data import decode
from thaw.evaluation import evaluation
from thaw.inference.outputs import compute_outputs
from thaw.reports import model_card
from thaw.runs.summary import SIDES
from thaw.runs.verify import Reopening, take_weights

_SAMPLES = 64  # photos of training too, where fewer are validated on


def write_report(
    run, trained, keeper, unfreeze_from, stage_input, all_views, summary
) -> dict:
    """Proves the kept model, evaluates it, and looks for wrong labels.

    Of the features that training has stored nothing is computed again.

    Args:
        run: `RunFolder` of the run.
        trained: The model that was trained, whatever its weights are by now.
        keeper: `KeptEpoch` of the run.
        unfreeze_from: Unfreeze point of its last stage.
        stage_input: `StageInput` of that stage.
        all_views: `PhotoViews` to train on, and to validate on.
        summary: Content of run.json.

    Returns:
        The content of metrics.json.

    Raises:
        NotProved: If model.keras may not be the model that was trained.
    """
    model = run.load_model()  # as people will get it
    train_photos, val_photos = (views.photos for views in all_views)
    paths = [*val_photos.paths, *train_photos.paths]
    samples = decode.load_samples(paths[: max(_SAMPLES, len(val_photos))])
    # It takes seconds to start, in which there is other work.
    with Reopening(run.model_path, samples) as reopening:
        judged, issues = _judge(
            run, model, unfreeze_from, stage_input, all_views
        )
        take_weights(trained, model, keeper.weights_sha256)
        difference = reopening.compare(trained)
    summary = summary | {
        "reopened": {"photos": len(samples), "largest_difference": difference}
    }
    run.save_summary(summary)
    facts = evaluation.load_facts(
        run.path, model, summary, evaluation.OWN_PHOTOS
    )
    numbers = evaluation.write(run, model, judged, issues, facts)
    run.save_card(model_card.make_card(run.path))
    return numbers


def _judge(run, model, unfreeze_from, stage_input, all_views):
    """Returns `Judged` of the validation photos, and suspected labels."""
    photos = [views.photos for views in all_views]
    class_names = photos[1].class_names

    def compute(cache, views, features_only):
        return compute_outputs(
            model,
            unfreeze_from,
            cache,
            views,
            given.BATCH_SIZE.value,
            features_only=features_only,
        )

    of_val = compute(stage_input.val_cache, all_views[1], False)
    # What evaluate.py needs, should the rest be interrupted.
    run.save_predictions(
        photos[1].paths, photos[1].labels, of_val.probabilities, class_names
    )
    of_train = compute(stage_input.train_cache, all_views[0], True)
    issues = evaluation.suspected_labels(
        np.concatenate([of_train.features, of_val.features]),
        np.concatenate([of_side.labels for of_side in photos]),
        [path for of_side in photos for path in of_side.paths],
        [
            side
            for side, of_side in zip(SIDES, photos, strict=True)
            for _ in of_side.paths
        ],
        class_names,
    )
    judged = evaluation.Judged(
        photos[1].paths,
        photos[1].labels,
        of_val.probabilities,
        of_val.penultimate,
        of_val.logits,
        class_names,
    )
    return judged, issues
