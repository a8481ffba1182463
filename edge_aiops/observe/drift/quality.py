"""How good a model was over a span, by the labels that came back, beside its baseline."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from edge_aiops.observe.config import ConceptDrift
from edge_aiops.observe.drift.subjects import CORRECT
from edge_aiops.stats.evidence import MeanSequence, RateSequence
from edge_aiops.stats.summaries import Categories, CategoryReference, Moments, Profile

_TOLERANCE = 1e-9
"""A loss from 0.95 to 0.9 is one of 0.05, whatever the last digit of the difference is."""


class Quality(NamedTuple):
    """Accuracy, or mean absolute error, in the baseline and now."""

    method: str
    """`accuracy` or `meanAbsoluteError`."""
    threshold: float
    labelled: int
    baseline: float | None
    current: float | None
    interval: tuple[float, float] | None
    """Of `current`, right at all times at once with probability 1 - alpha."""
    loss: float | None
    """Of accuracy, absolute; or the growth of the error, relative to the baseline's. Below 0: better."""
    worse: bool
    """Whether the loss is as large as the threshold."""

    def fields(self) -> dict[str, Any]:
        """The fields of a result that say it."""
        names = (
            ("baseline_accuracy", "accuracy", "accuracy_interval")
            if self.method == "accuracy"
            else ("baseline_error", "error", "error_interval")
        )
        values = (self.baseline, self.current, self.interval)
        return {"labelled": self.labelled, **dict(zip(names, values, strict=True))}

    def too_few(self, config: ConceptDrift) -> str | None:
        """Why it cannot be judged; None where there are labels enough."""
        if self.labelled >= config.min_labeled_samples:
            return None
        if self.labelled == 0:
            return "no labels came back for the predictions of this span; send feedback with PATCH /events/{id}"
        least = f"{config.min_labeled_samples} (drift.conceptDrift.minLabeledSamples)"
        return f"{self.labelled} labels in this span, fewer than {least}"


def quality_of(profile: Profile, name: str, config: ConceptDrift) -> Quality:
    """How good the model was, by the outcome `name`: `correct` or `absoluteError`."""
    if name == CORRECT:
        return _accuracy(profile.baseline[name], profile[name], config)
    return _error(profile.baseline[name].moments, profile[name].moments, config)


def _accuracy(reference: CategoryReference, current: Categories, config: ConceptDrift) -> Quality:
    right, labelled = dict(current.counts()).get("true", 0), current.total - current.missing
    before = _baseline_accuracy(reference)
    now = right / labelled if labelled else None
    sequence = RateSequence().update_counts(successes=right, failures=labelled - right)
    loss = None if now is None or before is None else before - now
    return Quality(
        method="accuracy",
        threshold=config.accuracy_drop_threshold,
        labelled=labelled,
        baseline=before,
        current=now,
        interval=sequence.interval(alpha=config.alpha) if labelled else None,
        loss=loss,
        worse=loss is not None and loss > 0 and loss >= config.accuracy_drop_threshold - _TOLERANCE,
    )


def _baseline_accuracy(reference: CategoryReference) -> float | None:
    counts = dict(reference.categories.counts())
    if "true" in counts and "false" in counts:
        right, of = counts["true"], counts["true"] + counts["false"]
    else:  # the one that hardly came is among the other labels
        cells = dict(zip(reference.categories.known, reference.cells.tolist(), strict=False))
        right, of = cells.get("true", 0), int(reference.cells.sum())
    return right / of if of else None


def _error(reference: Moments, current: Moments, config: ConceptDrift) -> Quality:
    before, now, labelled = reference.mean, current.mean, current.count
    growth, worse = None, False
    if before is not None and now is not None:
        growth = (now - before) / before if before > 0 else None
        worse = now > before and (growth is None or growth >= config.error_increase_threshold - _TOLERANCE)
    interval = MeanSequence().update_moments(current).interval(alpha=config.alpha) if labelled > 1 else None
    return Quality(
        method="meanAbsoluteError",
        threshold=config.error_increase_threshold,
        labelled=labelled,
        baseline=before,
        current=now,
        interval=interval if interval and all(map(math.isfinite, interval)) else None,
        loss=growth if growth is not None and math.isfinite(growth) else None,
        worse=worse,
    )
