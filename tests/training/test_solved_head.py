import numpy as np
import pytest

from thaw.errors import UserError
from thaw.training import solved_head
from thaw.training.solved_head import solve_head

pytest.importorskip("sklearn")


def blobs(num_classes, n=300, seed=0):
    """Features of classes that overlap, one on a scale of its own."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, n)
    middles = np.random.default_rng(9).normal(size=(num_classes, 6)) * 1.5
    features = middles[labels] + rng.normal(size=(n, 6))
    return (features * [1, 1, 100, 1, 1, 0.01] + 5).astype("float32"), labels


def probabilities(features, kernel, bias):
    """Probabilities of a Dense layer with sigmoid or softmax, (N, K)."""
    logits = features @ kernel + bias
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("solver", ["linear", "svm"])
@pytest.mark.parametrize("num_classes", [2, 4])
def test_the_head_tells_classes_apart_and_knows_how_sure_it_is(
    solver, num_classes
):
    kernel, bias = solve_head(*blobs(num_classes), solver)
    units = 1 if num_classes == 2 else num_classes
    assert kernel.shape == (6, units) and bias.shape == (units,)
    assert kernel.dtype == bias.dtype == "float32"
    features, labels = blobs(num_classes, n=2000, seed=1)
    p = probabilities(features, kernel, bias)
    right = p.argmax(axis=1) == labels
    assert right.mean() > 0.85
    # Calibrated: as often right as it says.
    assert p.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.06)


def test_it_is_what_scikit_learn_would_predict():
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.preprocessing import StandardScaler

    features, labels = blobs(3)
    kernel, bias = solve_head(features, labels, "linear")
    scaler = StandardScaler().fit(features)
    model = LogisticRegressionCV(
        Cs=[1e-3, 1e-2, 1e-1, 1.0], cv=3, scoring="neg_log_loss", max_iter=1000
    ).fit(scaler.transform(features), labels)
    np.testing.assert_allclose(
        probabilities(features, kernel, bias),
        model.predict_proba(scaler.transform(features)),
        atol=2e-3,
    )


def of_patients(num_patients=24, photos=12, seed=0):
    """Patients whose photos are all alike; a little of it is the class."""
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(num_patients), photos))
    labels = groups % 2
    own = 3 * rng.normal(size=(num_patients, 40))
    own[:, 0] += np.arange(num_patients) % 2
    features = own[groups] + 0.1 * rng.normal(size=(len(groups), 40))
    return features.astype("float32"), labels, groups


@pytest.mark.parametrize("solver", ["linear", "svm"])
def test_patients_are_held_out_whole(solver):
    """A head that has seen a patient knows him; it must not trust that."""
    features, labels, groups = of_patients()
    new_features, new_labels, _ = of_patients(num_patients=200, seed=1)
    losses = {}
    for name, given in (("photos", None), ("patients", groups)):
        kernel, bias = solve_head(features, labels, solver, given)
        p = probabilities(new_features, kernel, bias).clip(1e-9)
        losses[name] = -np.log(p[np.arange(len(p)), new_labels]).mean()
    assert losses["patients"] < 0.8 < 1.5 < losses["photos"]


def test_no_fold_lacks_a_class():
    """Two classes have a group each, which is never held out."""
    labels = np.repeat([0, 0, 0, 1, 1, 1, 2, 3], 5)
    groups = np.repeat([0, 1, 2, 3, 4, 5, 6, 6], 5)
    folds = solved_head._folds(labels, groups)
    assert len(folds) == 3
    for fitted, held_out in folds:
        assert set(labels[fitted]) == {0, 1, 2, 3}
        assert not set(groups[fitted]) & set(groups[held_out])
        assert sorted([*fitted, *held_out]) == list(range(40))
    held_out = np.concatenate([rows for _, rows in folds])
    assert sorted(held_out) == list(range(30))
    assert solved_head._folds(labels[20:], groups[20:] * 0) == []


@pytest.mark.parametrize("solver", ["linear", "svm"])
def test_an_only_photo_of_a_class_is_learnt(solver):
    features, labels = blobs(2, n=60)
    labels[0] = 2
    features[0] += 50
    kernel, bias = solve_head(features, labels, solver)
    assert kernel.shape == (6, 3)
    assert probabilities(features, kernel, bias)[0].argmax() == 2


def test_too_few_photos_for_folds_are_enough_for_a_linear_head():
    features = np.array([[0, 0], [0, 1], [5, 0], [5, 1]], "float32")
    labels = np.array([0, 0, 1, 1])
    kernel, bias = solve_head(features, labels, "linear")
    p = probabilities(features, kernel, bias)
    np.testing.assert_array_equal(p.argmax(axis=1), labels)
    with pytest.raises(UserError, match="takes 3 training photos of a class"):
        solve_head(features, labels, "svm")


def test_folds_mix_photos_that_lie_beside_each_other():
    """In order of their names, photos of one place may be of one kind."""
    labels = np.tile([0, 1], 30)
    for fitted, held_out in solved_head._folds(labels, None):
        assert len(fitted) == 40 and np.ptp(held_out) > 40
