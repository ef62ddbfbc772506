import numpy as np
import pytest
import tensorflow as tf

from tests.support.training import train
from thaw.training import yardstick
from thaw.training.solved_head import solve_head


@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_yardstick_is_a_solved_head_on_other_photos(num_classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, num_classes, 200).astype("int32")
    features = rng.normal(size=(200, 5)).astype("float32")
    features[:, 0] += 2 * labels
    fitted, judged = slice(0, 120), slice(120, 200)
    loss = "sparse_categorical_crossentropy"
    val_ds = tf.data.Dataset.from_tensors(((features[judged],), labels[judged]))
    found = yardstick.measure(
        features[fitted],
        labels[fitted],
        None,
        num_classes,
        "binary_crossentropy" if num_classes == 2 else loss,
        val_ds,
        [],
    )
    kernel, bias = solve_head(features[fitted], labels[fitted], "linear")
    logits = features[judged] @ kernel + bias
    if num_classes == 2:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    of_label = p[np.arange(80), labels[judged]]
    assert found.val_loss == pytest.approx(-np.log(of_label).mean(), rel=1e-4)
    right = (p.argmax(axis=1) == labels[judged]).mean()
    assert found.val_accuracy == pytest.approx(right)


@pytest.mark.slow
def test_every_run_with_a_head_has_a_yardstick(drawn_photos, tmp_path):
    options = {
        "data": drawn_photos, "backbone": "vgg16_tiny", "image_size": 32,
        "epochs": 1, "cache_dir": tmp_path / "cache",
    }  # fmt: skip
    solved = train(tmp_path / "solved", **options)
    head, _ = solved.history.epochs
    assert solved.yardstick == (head["val_loss"], head["val_accuracy"])
    trained = train(tmp_path / "trained", head_epochs=1, **options)
    assert trained.yardstick == pytest.approx(solved.yardstick, rel=0.01)
    off = train(tmp_path / "off", head_epochs=1, yardstick=False, **options)
    assert off.yardstick is None
    assert off.history.epochs[0]["val_loss"] == pytest.approx(
        trained.history.epochs[0]["val_loss"]
    )
