"""Measures in the text formats of Prometheus and OpenMetrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from edge_aiops.observe.measures import Distribution, Measure, Unit

PREFIX = "edge_aiops_"

_SUFFIXES: dict[Unit, str] = {"s": "_seconds", "By": "_bytes"}


def rendered(measures: Sequence[Measure], accept: str) -> tuple[bytes, str]:
    """Measures, and what Prometheus' clients tell of a process, with their media type.

    `accept`: the request's header, which chooses the format. May run in any thread.
    """
    registry = CollectorRegistry()
    registry.register(_Measured(measures))
    ProcessCollector(registry=registry)
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Measured(Collector):
    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = measures

    def collect(self) -> Iterable[Metric]:
        return [_FAMILIES[measure.kind](measure) for measure in self._measures]


def prometheus_name(measure: Measure) -> str:
    """What Prometheus calls a measure, but for the `_total` of counters."""
    return PREFIX + measure.name.replace(".", "_") + _SUFFIXES.get(measure.unit, "")


def _counter(measure: Measure) -> Metric:
    family = CounterMetricFamily(prometheus_name(measure), measure.description, labels=measure.labels)
    for labels, value in _numbers(measure):
        family.add_metric(labels, value)
    return family


def _gauge(measure: Measure) -> Metric:
    family = GaugeMetricFamily(prometheus_name(measure), measure.description, labels=measure.labels)
    for labels, value in _numbers(measure):
        family.add_metric(labels, value)
    return family


def _histogram(measure: Measure) -> Metric:
    family = HistogramMetricFamily(prometheus_name(measure), measure.description, labels=measure.labels)
    for sample in measure.samples:
        if isinstance(sample.value, Distribution):
            bounds = [*map(repr, sample.value.bounds), "+Inf"]
            buckets = list(zip(bounds, accumulate(sample.value.counts), strict=True))
            family.add_metric(sample.labels, buckets, sample.value.sum)
    return family


def _numbers(measure: Measure) -> Iterable[tuple[tuple[str, ...], float]]:
    return ((sample.labels, sample.value) for sample in measure.samples if not isinstance(sample.value, Distribution))


_FAMILIES: dict[str, Callable[[Measure], Metric]] = {"counter": _counter, "gauge": _gauge, "histogram": _histogram}
