"""What a benchmark is asked for, and what it says."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct, field

BenchmarkStatus = Literal["running", "done", "failed", "cancelled", "interrupted"]
"""`interrupted`: the node stopped before the end."""

_Text = Annotated[str, Meta(min_length=1, max_length=200)]


class BenchmarkRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which models to compare, on what, and how often."""

    task_type: _Text
    equivalence_group: _Text
    test_data: Raw = field(default_factory=lambda: Raw(b"null"))
    """A list of features as `POST /predict` takes them, each for one run in turn, or the features of one run; also as a
    JSON string. Without it, inputs are drawn that fit the models' signature."""
    iterations: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Measured rounds; in each, every model runs once."""
    warmup: Annotated[int, Meta(ge=0, le=1_000)] = 10
    """Rounds before, which are not measured."""
    models: list[_Text] = []
    """`name` or `name:version`; only these of the group."""
    min_difference: Annotated[float, Meta(ge=0, le=10)] = 0.02
    """A model wins that is faster by at least this share: 0.02 is 2 %."""
    seed: Annotated[int, Meta(ge=0, lt=2**53)] = 0
    """Of the inputs that are drawn."""
    background: bool = False
    """Whether to answer at once with the id, while the benchmark runs."""
    run_by: Annotated[str, Meta(max_length=200)] | None = None
    notes: Annotated[str, Meta(max_length=10_000)] | None = None


class OutputAgreement(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far an output agrees with the reference model's on the same inputs; null where that has no meaning."""

    output: str
    reference_output: str
    rows: int
    """Rows compared: of the first dimension, or whole outputs where they have one dimension or none."""
    cosine: float | None
    """The mean of the cosines of the rows' angles; of numbers with a fraction, as are the next three."""
    lowest_cosine: float | None
    max_abs_difference: float | None
    top1: float | None
    """The share of rows whose largest value stands in the same place; of classes only."""
    equal: float | None
    """The share of equal values; of whole numbers, texts and true/false."""
    unlike: int
    """Runs whose outputs differed in shape, and were not compared."""


class ModelResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """How one model did. Times are of its runs alone, without waiting; of runs that did not fail."""

    model_name: str
    model_version: str
    deployment_version: int
    stage: str
    framework: str
    reference: bool
    """Whether the others' outputs are compared with its."""
    winner: bool
    load_ms: float | None
    """What its load into memory took; null where it did not load, as is the next."""
    memory_bytes: int | None
    runs: int
    errors: int
    error_rate: float
    """1 for a model that did not load."""
    error: str | None
    """What the first failure said."""
    avg_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    min_ms: float | None
    max_ms: float | None
    throughput: float | None
    """Runs a second, one after the other."""
    percentiles_ms: list[float]
    """From the least to the most in steps of one percent: 101 values, or none."""
    agreement: list[OutputAgreement]
    """For each output that has a counterpart in the reference; empty for the reference itself."""

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.model_name} {self.model_version}"


class Comparison(Struct, frozen=True, kw_only=True, rename="camel"):
    """Two models on the same inputs, round by round."""

    faster: str
    slower: str
    rounds: int
    """In which both answered."""
    ratio: float | None
    """How many times as long the slower one takes, with an interval of 95 %; null for too few rounds."""
    ratio_low: float | None
    ratio_high: float | None
    p_value: float | None
    """Of a Wilcoxon signed-rank test of the logarithms' differences, block by block."""
    adjusted_p_value: float | None
    """By Holm, for all pairs of models."""
    significant: bool


class Progress(Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a benchmark has come, warm-up included."""

    done: int
    rounds: int


class Benchmark(Struct, frozen=True, kw_only=True, rename="camel"):
    """A benchmark and, when it is done, what came out."""

    id: int
    status: BenchmarkStatus
    task_type: str
    equivalence_group: str
    models: list[str]
    """Names with versions; the first is the reference."""
    iterations: int
    warmup: int
    inputs: int
    """How many different ones there are; round after round takes the next."""
    test_data: Literal["given", "generated"]
    seed: int | None
    """Of generated inputs."""
    min_difference: float
    run_by: str | None
    notes: str | None
    started_at: int
    """Milliseconds since the epoch."""
    ended_at: int | None
    progress: Progress
    verdict: str | None
    """A sentence; null before the end."""
    winner: str | None
    results: list[ModelResult]
    comparisons: list[Comparison]


class BenchmarkPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """Benchmarks, newest first."""

    benchmarks: list[Benchmark]
    next_cursor: int | None
    """Send it as `cursor` for the next page; null on the last."""
