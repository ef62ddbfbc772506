from types import SimpleNamespace

from thaw.search.halving import successive_halving

POINTS, RATES = ("late", "early"), (1e-4, 1e-5, 1e-3)
AUGMENTATIONS = ("none", "flip")


def search(losses, epochs=10, most=1000):
    """Returns the trials of the last round, and all that were run."""
    seen = []

    def run(candidate, epochs, share):
        if len(seen) >= most:
            return None
        seen.append((candidate, epochs))
        loss = losses.get(candidate, 1.0)
        return SimpleNamespace(candidate=candidate, loss=loss)

    found = successive_halving(POINTS, RATES, AUGMENTATIONS, epochs, run)
    return found, seen


def test_a_third_of_the_candidates_goes_on():
    losses = {("early", 1e-3, "none"): 0.1, ("late", 1e-5, "none"): 0.2}
    found, seen = search(losses | {("early", 1e-3, "flip"): 0.05})
    by_epochs = {
        n: [candidate for candidate, epochs in seen if epochs == n]
        for n in (1, 3, 10)
    }
    assert len(by_epochs[1]) == 6
    assert {x.augment for x in by_epochs[1]} == {"none"}
    # Two of six for longer, the better one of them with the augmentation.
    assert by_epochs[3] == [*losses, ("early", 1e-3, "flip")]
    assert found[0].candidate == ("early", 1e-3, "flip")
    assert len(by_epochs[10]) == 3


def test_what_does_not_fit_is_left_out():
    losses = {("late", 1e-4, "none"): 0.1}
    found, seen = search(losses, most=2)
    assert len(seen) == 2
    assert found[0].candidate == ("late", 1e-4, "none")
    assert search(losses, most=0) == ([], [])


def test_no_trial_is_longer_than_the_run():
    _, seen = search({}, epochs=2)
    assert max(epochs for _, epochs in seen) == 2
