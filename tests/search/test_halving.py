from types import SimpleNamespace

from thaw.search.halving import successive_halving

POINTS, RATES = ("late", "early"), (1e-4, 1e-5, 1e-3)
AUGMENTATIONS = ("none", "flip")


def search(losses, epochs=(1, 3, 10), most=1000):
    """Returns all trials, and what was asked for."""
    seen = []

    def run(candidate, epochs, share):
        if len(seen) >= most:
            return None
        seen.append((candidate, epochs))
        loss = losses.get(candidate, 1.0)
        return SimpleNamespace(candidate=candidate, loss=loss, epochs=epochs)

    return successive_halving(POINTS, RATES, AUGMENTATIONS, epochs, run), seen


def of_length(seen, number):
    return [candidate for candidate, epochs in seen if epochs == number]


def test_half_of_the_candidates_goes_on():
    losses = {("early", 1e-5, "none"): 0.1, ("late", 1e-5, "none"): 0.2}
    found, seen = search(losses | {("early", 1e-5, "flip"): 0.05})
    assert [(x.candidate, x.epochs) for x in found] == seen
    assert len(of_length(seen, 1)) == 6
    assert {x.augment for x in of_length(seen, 1)} == {"none"}
    # Two of the first four for longer, the better one with the augmentation.
    assert of_length(seen, 3)[:3] == [*losses, ("early", 1e-5, "flip")]
    assert of_length(seen, 10)[0] == ("early", 1e-5, "flip")


def test_two_rates_are_tried_for_long_before_a_third():
    _, seen = search({})
    third = seen.index((("late", 1e-3, "none"), 1))
    assert of_length(seen[:third], 1) == [
        ("late", 1e-4, "none"),
        ("late", 1e-5, "none"),
        ("early", 1e-4, "none"),
        ("early", 1e-5, "none"),
    ]
    assert of_length(seen[:third], 10)
    rates = {x.learning_rate for x, _ in seen[third:]}
    assert rates == {1e-3}


def test_what_does_not_fit_is_left_out():
    losses = {("late", 1e-4, "none"): 0.1}
    found, seen = search(losses, most=2)
    assert len(seen) == len(found) == 2
    assert search(losses, most=0) == ([], [])


def test_a_candidate_that_does_not_fit_makes_way_for_the_next():
    def run(candidate, epochs, share):
        if epochs > 1 and candidate.unfreeze_from == "early":
            return None
        loss = 0.5 * (candidate.unfreeze_from == "late")
        return SimpleNamespace(candidate=candidate, loss=loss, epochs=epochs)

    found = successive_halving(POINTS, (1e-4, 1e-5), ("none",), (1, 3, 3), run)
    longer = [x.candidate.unfreeze_from for x in found if x.epochs == 3]
    assert longer == ["late", "late"]


def test_a_round_as_long_as_the_one_before_is_left_out():
    # Of four two go on, the better one with the augmentation; of two, one.
    _, seen = search({}, epochs=(1, 2, 2))
    assert [x for _, x in seen] == [1, 1, 1, 1, 2, 2, 2, 1, 1, 2, 2]
    _, seen = search({}, epochs=(1, 1, 1))
    assert len(seen) == (4 + 1) + (2 + 1)
