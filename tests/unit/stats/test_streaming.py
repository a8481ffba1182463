"""Streaming detectors: changes found, broken readings survived, state that goes on elsewhere."""

import threading
from typing import Any

import numpy as np
import pytest

from edge_aiops.stats import UnreadableSummary
from edge_aiops.stats.streaming import Adwin, Ddm, Kswin, PageHinkley

DETECTORS: list[Any] = [Adwin, PageHinkley, Kswin, Ddm]
every_detector = pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.__name__)


def errors(length: int = 2000) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Numbers that every detector takes: errors of a model that becomes worse in the middle."""
    random = np.random.default_rng(length)
    return (random.random(length) < np.where(np.arange(length) < length / 2, 0.1, 0.7)).astype(np.float64)


def made(detector: Any) -> Any:
    return PageHinkley(threshold=10.0) if detector is PageHinkley else detector()


@every_detector
def test_a_change_is_found_soon_and_a_still_stream_is_left_alone(detector: Any) -> None:
    found = made(detector).update_many(errors())
    assert found.dtype == np.int64
    assert any(1000 <= position < 1200 for position in found.tolist())
    assert len(made(detector).update_many(np.tile([0.0, 1.0], 500))) == 0


@every_detector
def test_one_value_at_a_time_is_the_same_as_all_at_once(detector: Any) -> None:
    one, many = made(detector), made(detector)
    positions = [position for position, value in enumerate(errors().tolist()) if one.update(value)]
    assert positions == many.update_many(errors()).tolist()
    assert one == many


@every_detector
def test_broken_readings_are_counted_and_change_nothing_else(detector: Any) -> None:
    stream = errors()
    broken = np.insert(stream, [5, 700, 700, 1300], [np.nan, np.inf, -np.inf, 1e200])
    clean, dirty = made(detector), made(detector)
    expected = broken.size - 4
    values = [value for value in broken.tolist() if abs(value) < 2]
    assert len(clean.update_many(stream)) == len(dirty.update_many(broken))
    assert (dirty.left_out, dirty.seen, len(values)) == (4, expected, expected)
    dirty_alone = made(detector)
    assert not any(dirty_alone.update(value) for value in (np.nan, np.inf, -np.inf, 1e101))
    assert (dirty_alone.seen, dirty_alone.left_out, dirty_alone.drift_detected) == (0, 4, False)
    assert dirty.width == clean.width


@every_detector
def test_what_is_marked_as_missing_is_left_out(detector: Any) -> None:
    watched, missing = made(detector), np.zeros(100, dtype=np.bool_)
    missing[::4] = True
    watched.update_many(np.where(missing, 0.5, errors(100)), missing=missing)
    assert (watched.seen, watched.left_out) == (75, 25)


@every_detector
def test_the_value_after_a_detection_starts_anew(detector: Any) -> None:
    watched, stream = made(detector), errors()
    position = int(watched.update_many(stream)[0])
    watched.reset()
    watched.update_many(stream[: position + 1])
    assert (watched.drift_detected, watched.detections) == (True, 1)
    watched.update(0.0)
    assert (watched.drift_detected, watched.detections, watched.width) == (False, 1, 1)


@every_detector
def test_a_reset_forgets_all_but_the_parameters(detector: Any) -> None:
    watched = made(detector)
    watched.update_many(errors())
    assert watched != made(detector)
    watched.reset()
    assert (watched.seen, watched.left_out, watched.detections, watched.width) == (0, 0, 0, 0)
    if detector is not Kswin:  # Its draws go on, so that none is made twice.
        assert watched == made(detector)


@every_detector
def test_a_detector_goes_on_elsewhere_as_bytes(detector: Any) -> None:
    stream, here = errors(), made(detector)
    for cut in (0, 1, 40, 999, 1050, 1400):
        here.reset()
        here.update_many(stream[:cut])
        there = detector.from_bytes(here.to_bytes())
        assert there == here and there.to_bytes() == here.to_bytes()
        assert there.update_many(stream[cut:]).tolist() == here.update_many(stream[cut:]).tolist()
        assert there == here


@every_detector
def test_foreign_damaged_and_other_bytes_are_refused_by_name(detector: Any) -> None:
    data = made(detector).to_bytes()
    other = DETECTORS[DETECTORS.index(detector) - 1]
    for refused, message in ((b"", "not a summary"), (data[:-1], "damaged"), (made(other).to_bytes(), "of kind")):
        with pytest.raises(UnreadableSummary, match=message):
            detector.from_bytes(refused)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adwin(0.0), "delta must lie between 0 and 1"),
        (lambda: Adwin(float("nan")), "delta must lie between 0 and 1"),
        (lambda: Adwin(clock=0), "clock must be at least 1, but is 0"),
        (lambda: Adwin(max_buckets=0), "max_buckets must be at least 1"),
        (lambda: Adwin(min_window_length=0), "min_window_length must be at least 1"),
        (lambda: PageHinkley(alpha=1.5), "alpha must lie between 0, excluded, and 1"),
        (lambda: PageHinkley(threshold=-1.0), "threshold must be a finite number of at least 0"),
        (lambda: PageHinkley(delta=float("inf")), "delta must be a finite number"),
        (lambda: PageHinkley(mode="sideways"), "mode must be 'up', 'down' or 'both', but is \"sideways\""),  # type: ignore[arg-type]
        (lambda: Kswin(1.0), "alpha must lie between 0 and 1"),
        (lambda: Kswin(stat_size=0), "stat_size must be at least 1"),
        (lambda: Kswin(window_size=59), "window_size must be at least twice stat_size, 30, but is 59"),
        (lambda: Ddm(drift_threshold=1.0), "warning_threshold must be at most drift_threshold"),
        (lambda: Ddm(warning_threshold=-1.0), "warning_threshold must be a finite number of at least 0"),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Adwin(), Adwin(0.5)),
        (Adwin(), Adwin(clock=1)),
        (Adwin(0.9, clock=1), Adwin(0.9, clock=1, max_buckets=2)),
        (Adwin(0.3, clock=1), Adwin(0.3, clock=1, min_window_length=40)),
        (Adwin(0.9, clock=1, min_window_length=1), Adwin(0.9, clock=1, min_window_length=1, grace_period=1000)),
        (PageHinkley(threshold=10.0), PageHinkley(threshold=20.0)),
        (PageHinkley(threshold=10.0), PageHinkley(threshold=10.0, delta=0.3)),
        (PageHinkley(threshold=10.0), PageHinkley(threshold=10.0, alpha=0.9)),
        (PageHinkley(threshold=10.0), PageHinkley(threshold=10.0, mode="down")),
        (PageHinkley(threshold=0.5), PageHinkley(threshold=0.5, min_instances=1)),
        (Kswin(0.005), Kswin(0.3)),
        (Kswin(0.1), Kswin(0.1, window_size=200)),
        (Kswin(0.1), Kswin(0.1, stat_size=10)),
        (Kswin(0.1, window_size=300), Kswin(0.1, window_size=300, seed=1)),
        (Ddm(), Ddm(warm_start=1500)),
        (Ddm(), Ddm(drift_threshold=5.0)),
    ],
)
def test_every_parameter_matters(one: Any, other: Any) -> None:
    assert one.update_many(errors()).tolist() != other.update_many(errors()).tolist()


def test_a_lower_threshold_warns_earlier() -> None:
    def warned(threshold: float) -> int:
        watched = Ddm(warning_threshold=threshold)
        for value in errors().tolist():
            watched.update(value)
            if watched.warning_detected:
                return watched.seen
        return watched.seen

    assert warned(1.5) < warned(2.9)


def test_the_window_of_adwin_describes_what_came_after_the_change() -> None:
    stream = np.concatenate([np.zeros(1000), np.ones(1000)])
    adwin = Adwin(clock=1)
    (position,) = adwin.update_many(stream)
    assert 1000 <= position < 1030
    assert adwin.mean == 1.0 and adwin.variance == 0.0
    assert Adwin().mean is None and Adwin().variance is None


def test_the_memory_of_adwin_grows_with_the_logarithm_of_its_window() -> None:
    adwin = Adwin()
    adwin.update_many(np.zeros(1_000_000))
    assert adwin.width == 1_000_000
    assert len(adwin.to_bytes()) < 2000


@pytest.mark.parametrize("max_buckets", [1, 2])
def test_few_buckets_still_find_a_change(max_buckets: int) -> None:
    adwin = Adwin(0.05, clock=1, max_buckets=max_buckets, min_window_length=1)
    assert len(adwin.update_many(np.random.default_rng(1).normal(size=3000) + np.repeat([0, 3, -3], 1000))) >= 2


@every_detector
def test_the_largest_values_taken_are_summed_without_harm(detector: Any) -> None:
    if detector is not Ddm:
        watched = made(detector)
        watched.update_many(np.tile([1e100, -1e100, 5e-324], 500))
        assert watched.left_out == 0
        watched.reset()
        assert len(watched.update_many(errors())) > 0


def test_errors_are_one_or_zero_and_a_refusal_takes_no_value() -> None:
    ddm = Ddm()
    with pytest.raises(ValueError, match=r"must be 1 for an error and 0 otherwise, but one is 0\.5"):
        ddm.update_many(np.array([0.0, 1.0, 0.5]))
    with pytest.raises(ValueError, match=r"but one is -1"):
        ddm.update(-1.0)
    assert ddm == Ddm()
    assert ddm.update_many(np.array([True, False])).tolist() == [] and ddm.mean == 0.5


def test_the_first_error_after_a_faultless_start_is_a_change() -> None:
    assert Ddm().update_many(np.r_[np.zeros(100), 1.0]).tolist() == [100]


def test_equal_values_are_no_change_of_distribution() -> None:
    kswin = Kswin(0.9)
    assert len(kswin.update_many(np.ones(1000))) == 0
    assert kswin.p_value == 1.0
    assert Kswin().p_value is None


@every_detector
def test_threads_that_share_a_detector_take_turns(detector: Any) -> None:
    watched, values = made(detector), np.zeros(20_000)
    threads = [threading.Thread(target=watched.update_many, args=(values,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watched.seen == 80_000


@every_detector
def test_everything_public_is_documented_and_shown(detector: Any) -> None:
    names = [name for name in dir(detector) if not name.startswith("_")]
    assert detector.__doc__ and all(getattr(detector, name).__doc__ for name in names)
    expected = f"{detector.__name__}(seen=0, left_out=0, detections=0, drift_detected=False)"
    assert repr(detector()) == expected
    with pytest.raises(TypeError):
        hash(detector())
