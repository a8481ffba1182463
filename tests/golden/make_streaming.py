"""Makes streaming.json: where river detects changes in seeded streams.

Run from the root as `python -m tests.golden.make_streaming`, in an environment with river 0.26.1 and NumPy 2.4
(the tests that read the file need no river). A case is a stream, by its seed and shape, and the parameters of a
detector; the test makes the stream again by `stream` below.

KSWIN draws by its own generator, so only windows of which all older values are drawn are here: those of twice
the size of what is drawn.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH = 3000
PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "Adwin": [
        {},
        {"delta": 0.05, "clock": 1},
        {"max_buckets": 3, "min_window_length": 10, "grace_period": 100},
        {"delta": 0.3, "clock": 7, "max_buckets": 2, "min_window_length": 1, "grace_period": 0},
    ],
    "PageHinkley": [
        {},
        {"threshold": 5.0, "delta": 0.1, "mode": "up"},
        {"threshold": 5.0, "delta": 0.1, "mode": "down"},
        {"threshold": 10.0, "alpha": 0.99, "min_instances": 5},
    ],
    "Kswin": [
        {"alpha": 0.005, "window_size": 60, "stat_size": 30},
        {"alpha": 0.0001, "window_size": 200, "stat_size": 100},
    ],
    "Ddm": [{}, {"warm_start": 100, "warning_threshold": 1.5, "drift_threshold": 2.5}],
}
SHAPES = ("still", "abrupt", "gradual", "twice", "variance", "rounded", "offset")
SEEDS = range(6)


def stream(shape: str, seed: int) -> NDArray[np.float64]:
    """A stream of numbers; the change, if any, is in the middle or at both thirds."""
    random = np.random.default_rng([seed, SHAPES.index(shape)])
    noise = random.normal(size=LENGTH)
    at = np.arange(LENGTH) / LENGTH
    match shape:
        case "still":
            return noise
        case "abrupt":
            return noise + 1.5 * (at >= 0.5)
        case "gradual":
            return noise - 3 * np.clip(at - 0.3, 0, 0.5)
        case "twice":
            return noise + 2.0 * ((at >= 1 / 3) & (at < 2 / 3))
        case "variance":
            return noise * np.where(at < 0.5, 1.0, 4.0)
        case "rounded":
            return np.round(noise + (at >= 0.5))
        case _:
            return 1e6 + noise + (at >= 0.5)


def errors(shape: str, seed: int) -> NDArray[np.float64]:
    """A stream of errors, 1, and right predictions, 0, whose rate changes as the stream of the same shape."""
    rate = 0.08 + 0.002 * seed + 0.1 * np.clip(stream(shape, seed) - stream(shape, seed)[0], 0, 2)
    return np.asarray((np.random.default_rng([seed, 99]).random(LENGTH) < rate).astype(np.float64), dtype=np.float64)


def values(detector: str, shape: str, seed: int) -> NDArray[np.float64]:
    return errors(shape, seed) if detector == "Ddm" else stream(shape, seed)


def _detections(detector: str, parameters: dict[str, Any], shape: str, seed: int) -> dict[str, Any]:
    from river import drift  # type: ignore[import-not-found]

    makers = {
        "Adwin": drift.ADWIN,
        "PageHinkley": drift.PageHinkley,
        "Kswin": drift.KSWIN,
        "Ddm": drift.binary.DDM,
    }
    watched = makers[detector](**parameters)
    detections, warnings = [], 0
    for position, value in enumerate(values(detector, shape, seed).tolist()):
        watched.update(value)
        warnings += getattr(watched, "warning_detected", False)
        if watched.drift_detected:
            detections.append(position)
    found: dict[str, Any] = {"detections": detections}
    if detector == "Adwin":
        found |= {"width": watched.width, "mean": watched.estimation}
        # Named the variance there, but not divided by the width.
        found |= {"squares": watched.variance}
    if detector == "Kswin":
        found |= {"p_value": float(watched.p_value)}
    if detector == "Ddm":
        found |= {"warnings": warnings}
    return found


def main() -> None:
    cases = [
        {"detector": detector, "parameters": parameters, "shape": shape, "seed": seed}
        | _detections(detector, parameters, shape, seed)
        for detector, choices in PARAMETERS.items()
        for parameters in choices
        for shape in SHAPES
        for seed in SEEDS
    ]
    lines = ",\n".join(json.dumps(case) for case in cases)
    Path(__file__).with_name("streaming.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
