"""The rule by which drift of one type is decided, out of the configuration."""

from __future__ import annotations

from typing import NamedTuple

from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.config import DistributionDrift, DriftConfig
from edge_aiops.observe.drift.result import Decides
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import FeatureKind
from edge_aiops.plugin.specs import DriftTestSpec

AUTO = "auto"
AUTOMATIC: dict[FeatureKind, str] = {"numeric": "ks_test", "category": "chi_square"}
"""The method where none is named, or the named one does not fit the feature."""

Tests = Extensions[DriftTestSpec]


class Method(NamedTuple):
    """How one feature is decided."""

    name: str
    by_p_value: bool
    threshold: float

    @property
    def decides(self) -> Decides:
        """What is held against the threshold."""
        return "p_value" if self.by_p_value else "distance"


class Rule(NamedTuple):
    """How all features of one drift type are decided."""

    method: str
    """As configured."""
    methods: dict[FeatureKind, Method]
    alpha: float
    """The false discovery rate over the features."""
    min_effect: float
    min_samples: int
    warnings: list[str]

    @property
    def configured(self) -> Method:
        """The configured method; where it is `auto`, that of numbers."""
        fitting = [method for method in self.methods.values() if method.name == self.method]
        return (fitting or list(self.methods.values()))[0]


def rule_of(config: DistributionDrift, tests: Tests) -> Rule:
    """The rule that `config` says. A method that is no longer registered is replaced by `auto`, with a warning."""
    name, warnings = config.method, []
    if name != AUTO and name not in tests.specs:
        warnings = [f"no plugin registers the drift test {name!r} any more; auto decided"]
        name = AUTO
    threshold = config.threshold if name == config.method else None
    by_p_value = name == AUTO or tests.spec(name).decides == "p_value"
    alpha = threshold if by_p_value and threshold is not None else config.alpha
    methods: dict[FeatureKind, Method] = {}
    for kind, automatic in AUTOMATIC.items():
        fits = name != AUTO and kind in tests.spec(name).kinds
        spec = tests.spec(name if fits else automatic)
        if spec.threshold is None:
            methods[kind] = Method(spec.name, True, alpha)
        else:
            methods[kind] = Method(spec.name, False, spec.threshold if threshold is None else threshold)
    return Rule(name, methods, alpha, config.min_effect, config.min_samples, warnings)


def check_rules(config: DriftConfig, tests: Tests) -> None:
    """Raises `InvalidInput` for a method that is not registered, or a threshold that its method cannot have."""
    for where, part in (
        ("drift.inputDrift", config.input_drift),
        ("drift.predictionDrift", config.prediction_drift),
        ("drift.confidenceDrift", config.confidence_drift),
        ("drift.classBalance", config.class_balance),
    ):
        spec = tests.spec(AUTOMATIC["numeric"] if part.method == AUTO else part.method, field=f"{where}.method")
        if part.threshold is None:
            continue
        if spec.decides == "p_value" and not 0 < part.threshold < 1:
            message = (
                f"{part.threshold:g} is no significance level, which {part.method} takes; send one between 0 and 1"
            )
            raise InvalidInput.of(f"{where}.threshold", message)
        if part.threshold < 0:
            raise InvalidInput.of(f"{where}.threshold", f"{part.threshold:g} is below 0, where every distance begins")
