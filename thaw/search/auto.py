"""The search for unfreeze point, learning rate and augmentation."""

import dataclasses
import re
import time
from typing import Any

import keras
import numpy as np

import plots
from thaw import progress
from thaw.data.groups import group_numbers
from thaw.duration import parse_duration
from thaw.evaluation.bootstrap import paired_difference
from thaw.progress import say
from thaw.search import candidates
from thaw.search.budget import Budget
from thaw.search.candidates import Candidate
from thaw.search.choice import Choice, choose
from thaw.search.halving import successive_halving
from thaw.search.prices import Prices
from thaw.search.record import Record
from thaw.search.trial import Trial, Trials
from thaw.search.trial_photos import TrialPhotos
from thaw.training import begin, figures
from thaw.training.caching import make_cache_settings
from thaw.training.solved_head import solve_head
from thaw.training.state import Training

_ASKED = re.compile("--(budget|trials|unfreeze_from)=")
_HEAD_ALONE = {"unfreeze_from": "none", "epochs": 0}
_PLAIN_RUNS = 3  # a search takes as long as, if nothing else is asked for
_FEWEST = 40  # training photos of a class


def search(training: Training, started: float | None = None) -> None:
    """Chooses how a run goes on after its head, and gives it that stage.

    Candidates train on four fifths of the training photos, and are judged on
    the others; the validation photos are not looked at.

    Args:
        training: A run with `unfreeze_from=auto`, whose head has trained.
        started: `time.perf_counter()` when the run was asked for; None: when
            it began to train.
    """
    asked = training.config
    fewest = min(training.splits.train.counts().values())
    if fewest < _FEWEST:
        say(
            f"\nNo search: a class has {fewest} training photos, fewer than "
            f"{_FEWEST}. The head alone is trained"
        )
        begin.add_fine_tuning(training, _with_options(asked, _HEAD_ALONE))
        return
    variables = [
        (x, keras.ops.convert_to_numpy(x)) for x in training.model.variables
    ]
    one = _Search(training, started)
    choice = one.run()
    one.draw(choice)
    for variable, value in variables:  # trials have changed them
        variable.assign(value)
    say(f"\n{choice.describe()}")
    training.search = {
        "asked": " ".join(filter(_ASKED.match, asked.to_flags())),
        "sentence": choice.describe(),
        "trials": len(one.record.trials),
        "not_tried": one.num_skipped,
    }
    options = choice.trial.options()
    if options["unfreeze_from"] == "none":
        options = _HEAD_ALONE
    elif "epochs" in asked.given:
        options["epochs"] = asked.epochs
    begin.add_fine_tuning(training, _with_options(asked, options))
    figures.draw_augmented(training)
    one.record.end()


def _with_options(config, options):
    """Returns the options of a run that does what was chosen."""
    given = config.given - {"budget", "trials"}
    return dataclasses.replace(
        config, given=given, budget=None, trials=None, **options
    )


class _Search:
    """One search."""

    def __init__(self, training, started):
        config = training.config
        seconds = training.seconds
        if started is not None:
            seconds = time.perf_counter() - started
        self.record = Record(training.folder.path)
        self._training = training
        self._caching = make_cache_settings(config)
        self._photos = TrialPhotos(training, self._caching)
        self._budget = Budget(
            config.budget and parse_duration(config.budget),
            config.trials,
            seconds + self.record.seconds_before,
        )
        self._prices = Prices(training, self._photos, self.record)
        self.num_skipped = 0
        self._points = candidates.unfreeze_points(training.model)
        if config.unfreeze_from not in (None, "auto"):
            self._points = [config.unfreeze_from]

    def run(self) -> Choice:
        """Returns the choice."""
        training = self._training
        config = training.config
        say(
            f"\nSearch: training on {len(self._photos.fit):,} photos, "
            f"evaluating on {len(self._photos.held_out):,} held-out photos"
        )
        self._trials = Trials(training, self._photos, self._head_weights())
        head: Any = self._run_trial(Candidate("none", 0.0, "none"), 0, 1.0)
        trials = successive_halving(
            self._points,
            candidates.learning_rates(config),
            candidates.augmentations(config),
            candidates.numbers_of_epochs(config),
            self._run_trial,
        )
        if self.num_skipped:
            say(f"Skipped {self.num_skipped} candidates that don't fit")
        return self._choose(
            head, [x for x in trials if self._budget.has(self._rest(x))]
        )

    def _choose(self, head, trials):
        if "epochs" in self._training.config.given:
            # As long as the run, or the longest.
            longest = max((x.epochs for x in trials), default=0)
            trials = [x for x in trials if x.epochs == longest]
        model = self._training.model
        return choose(head, trials, lambda x: candidates.num_trained(model, x))

    def _rest(self, trial):
        """Returns the seconds of a run that repeats a trial."""
        return self._prices.rest(trial.candidate, trial.epochs)

    def draw(self, choice: Choice) -> None:
        """Draws thaw_curve.png: the lowest loss from each unfreeze point."""
        model, head = self._training.model, choice.head.losses
        trials = self.record.by_point(["none", *self._points])
        trials = [x for x in trials if np.isfinite(x.loss)]
        tried = [x.candidate.unfreeze_from for x in trials]
        gains = [paired_difference(head, x.losses) for x in trials]
        ax = plots.plot_thaw_curve(
            tried,
            [x.loss for x in trials],
            [(head.mean() - x.high, head.mean() - x.low) for x in gains],
            chosen=tried.index(choice.trial.candidate.unfreeze_from),
            seconds=[x.seconds_per_epoch for x in trials],
            parameters=[candidates.num_parameters(model, x) for x in tried],
        )
        self._training.folder.save_figure("thaw_curve.png", ax.figure)

    def _head_weights(self):
        """Returns weights with a head that is fitted to the photos to fit."""
        training, photos = self._training, self._photos
        stage, *_ = training.stages
        if stage.solver is None:
            fresh = begin.build_model_of(training.config, training.splits)
            training.model.set_weights(fresh.get_weights())
            heads = Trials(training, photos, fresh.get_weights())
            candidate = Candidate("none", stage.learning_rate, "none")
            heads.run(candidate, stage.epochs)
        else:
            groups = group_numbers(training.splits.train)
            features = photos.read_all(stage)
            training.model.layers[-1].set_weights(
                solve_head(
                    features,
                    photos.labels[photos.fit],
                    stage.solver,
                    groups if groups is None else groups[photos.fit],
                )
            )
        return training.model.get_weights()

    def _run_trial(self, candidate, epochs, share) -> Trial | None:
        known = self.record.find(candidate, epochs)
        if known is not None:
            self._budget.trials += 1
            return known
        seconds = self._prices.trial(candidate, epochs)
        reserve = self._prices.rest(candidate, epochs)
        if self.record.trials:  # what would be chosen so far has to fit as well
            head, *others = self.record.trials
            chosen = self._choose(head, others).trial
            best = min(self.record.trials, key=lambda x: x.loss)
            reserve = max(reserve, self._rest(chosen), self._rest(best))
        # The head alone, of no epochs, takes no time.
        if epochs and not (
            self._budget.allows(seconds, reserve, share)
            and self._trials.has_room(candidate)
        ):
            self.num_skipped += 1
            return None
        with progress.shown(f"  {candidate.describe(epochs)} ..."):
            trial = self._trials.run(candidate, epochs)
        self._budget.trials += 1
        self.record.add(trial, self._budget.seconds)
        if not self._budget.is_limited and epochs:
            rest = self._prices.rest(candidate, self._training.config.epochs)
            seconds = _PLAIN_RUNS * (self._budget.seconds + rest)
            self._budget.limit(seconds)
            say(f"Budget: {seconds:.0f} s (`budget`, `trials`)")
        say(
            f"  {candidate.describe(epochs)}: loss {trial.loss:.4f} "
            f"({trial.seconds:.1f} s)"
        )
        return trial
