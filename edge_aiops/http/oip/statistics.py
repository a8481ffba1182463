"""What models have done, as the statistics extension tells it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.statistics import Compute, ModelStatistics, Tally


class StatisticDuration(Struct, frozen=True):
    """How often something was done, and how long it took altogether."""

    count: int
    ns: int


class InferenceStatistics(Struct, frozen=True, kw_only=True):
    """By request; what a shared run took counts for each of its requests."""

    success: StatisticDuration
    fail: StatisticDuration
    queue: StatisticDuration
    compute_input: StatisticDuration
    compute_infer: StatisticDuration
    compute_output: StatisticDuration


class BatchStatistics(Struct, frozen=True, kw_only=True):
    """By run of the model, for one number of rows."""

    batch_size: int
    compute_input: StatisticDuration
    compute_infer: StatisticDuration
    compute_output: StatisticDuration


class MemoryUsage(Struct, frozen=True, kw_only=True):
    """What a model has in memory."""

    type: str
    id: int
    byte_size: int


class ModelVersionStatistics(Struct, frozen=True, kw_only=True):
    """Of one model version, since this node began to serve it."""

    name: str
    version: str
    last_inference: int
    """Milliseconds since the epoch; 0 before the first."""
    inference_count: int
    """Rows that were answered."""
    execution_count: int
    """Runs of the model."""
    inference_stats: InferenceStatistics
    batch_stats: list[BatchStatistics]
    memory_usage: list[MemoryUsage]


class Statistics(Struct, frozen=True):
    """Of some models."""

    model_stats: list[ModelVersionStatistics]


def told(deployment: Deployment, counted: ModelStatistics, memory_bytes: Iterable[int]) -> ModelVersionStatistics:
    """The statistics of one deployment; `memory_bytes`: what it has in memory, nothing where it is not loaded."""
    return ModelVersionStatistics(
        name=deployment.name,
        version=deployment.version,
        last_inference=counted.last_inference_ms,
        inference_count=counted.inferences,
        execution_count=counted.executions,
        inference_stats=InferenceStatistics(
            success=_duration(counted.success),
            fail=_duration(counted.fail),
            queue=_duration(counted.queue),
            **_compute(counted.compute),
        ),
        batch_stats=[
            BatchStatistics(batch_size=rows, **_compute(compute)) for rows, compute in sorted(counted.by_rows.items())
        ],
        memory_usage=[MemoryUsage(type="CPU", id=0, byte_size=size) for size in memory_bytes],
    )


def _compute(compute: Compute) -> dict[str, StatisticDuration]:
    return {
        "compute_input": _duration(compute.input),
        "compute_infer": _duration(compute.infer),
        "compute_output": _duration(compute.output),
    }


def _duration(tally: Tally) -> StatisticDuration:
    return StatisticDuration(tally.count, tally.ns)
