from types import SimpleNamespace

from thaw.search.halving import successive_halving

POINTS, RATES = ("late", "early"), (1e-4, 1e-5, 1e-3)
AUGMENTATIONS = ("none", "flip")


def search(losses, points=POINTS, epochs=(1, 3, 10), most=1000):
    """Returns all trials, and what was asked for."""
    seen = []

    def run(candidate, epochs, share):
        if len(seen) >= most:
            return None
        seen.append((candidate, epochs))
        loss = losses.get(candidate, 1.0) - epochs / 1000
        return SimpleNamespace(candidate=candidate, loss=loss, epochs=epochs)

    return successive_halving(points, RATES, AUGMENTATIONS, epochs, run), seen


def of_length(seen, number):
    return [candidate for candidate, epochs in seen if epochs == number]


def test_three_points_go_on_and_the_one_that_trains_least():
    losses = {("early", 1e-5, "none"): 0.1, ("last", 1e-5, "none"): 0.9}
    points = ("last", "late", "middle", "early", "first")
    found, seen = search(
        losses | {("middle", 1e-5, "none"): 0.2, ("first", 1e-5, "none"): 0.3},
        points=points,
    )
    assert [(x.candidate, x.epochs) for x in found] == seen
    plain = (("last", 1e-4, "none"), 10)
    assert [x for x in seen[:6] if x != plain] == [
        ((point, 1e-5, "none"), 1) for point in points
    ]
    assert seen[1] == plain
    assert of_length(seen, 3)[:8] == [
        (point, rate, "none")
        for rate in (1e-4, 1e-5)
        for point in ("early", "middle", "first", "last")
    ]
    # Three of eight train for ten epochs, the best with the augmentation.
    assert of_length(seen, 10)[1:5] == [
        ("early", 1e-5, "none"),
        ("middle", 1e-5, "none"),
        ("first", 1e-5, "none"),
        ("early", 1e-5, "flip"),
    ]


def test_two_rates_are_tried_for_long_before_a_third():
    _, seen = search({})
    third = seen.index((("late", 1e-3, "none"), 3))
    assert {x.learning_rate for x, _ in seen[:third]} == {1e-4, 1e-5}
    assert of_length(seen[:third], 10)
    assert {x.learning_rate for x, _ in seen[third:]} == {1e-3}


def test_nothing_is_tried_twice():
    _, seen = search({}, epochs=(1, 1, 1))
    assert len(seen) == len(set(seen))
    assert {epochs for _, epochs in seen} == {1}


def test_what_does_not_fit_is_left_out():
    found, seen = search({("late", 1e-4, "none"): 0.1}, most=2)
    assert len(seen) == len(found) == 2
    assert search({}, most=0) == ([], [])
    assert search({}, points=()) == ([], [])
