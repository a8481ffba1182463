"""A version that cannot be served here is found out in a worker process, whatever it does there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from edge_aiops.base.clock import SystemClock
from edge_aiops.base.durations import Duration
from edge_aiops.base.settings import ServingSettings
from edge_aiops.fleet.messages.desired import DesiredModel
from edge_aiops.fleet.node.probing import Prober
from edge_aiops.plugin import ModelSource
from edge_aiops.plugin.execution import CommitPolicy
from edge_aiops.plugin.golden import GoldenTensor, GoldenTest, found
from edge_aiops.plugin.loader import Plugins
from edge_aiops.plugin.registry import Backends
from edge_aiops.testing.models import gemm_softmax

GIB = 1024**3


def wanted(framework: str, *, golden: GoldenTest | None = None, p95_ms: float | None = None, **options: Any) -> Any:
    return DesiredModel(
        name="m", version="1", deployment=1, stage="candidate", framework=framework, sha256=None, size=0,
        options=options, golden=golden, commit=CommitPolicy(most_p95_latency_ms=p95_ms),
    )  # fmt: skip


def says(command: str, expected: str = "ok") -> GoldenTest:
    """What a model of the chaos plugin must answer to one command."""
    return GoldenTest(
        inputs={"command": GoldenTensor("BYTES", (1,), (command,))},
        outputs={"said": GoldenTensor("BYTES", (1,), (expected,))},
    )


def prober(*, memory_bytes: int = 2 * GIB, budget_bytes: int = 4 * GIB, timeout_s: float = 30.0) -> Prober:
    settings = ServingSettings(
        worker_memory_bytes=memory_bytes,
        memory_budget_bytes=budget_bytes,
        load_timeout=Duration(timeout_s),
        worker_grace=Duration(0.2),
    )
    return Prober(Backends(Plugins()), settings=settings, clock=SystemClock())


@pytest.mark.parametrize(
    ("model", "limits", "said"),
    [
        (wanted("chaos", golden=says("ok")), {}, None),
        (wanted("chaos", onLoad="segfault"), {}, "it does not load: .*SIGSEGV"),
        (wanted("chaos", onLoad="memory"), {"memory_bytes": 300 * 1024**2}, "it does not load: .*(MemoryError|memory)"),
        (wanted("chaos", onLoad="hang"), {"timeout_s": 2.0}, "it does not load: "),
        (wanted("chaos", golden=says("ok", "something else")), {}, "is ok where something else was expected"),
        (wanted("chaos", golden=says("segfault")), {}, "golden test: .*SIGSEGV"),
        (wanted("chaos", golden=says("raise")), {}, "golden test: .*no such node"),
        (wanted("chaos", golden=says("pause", "went on"), p95_ms=50), {}, r"too slow: \d+ ms .* 50 ms"),
        (wanted("chaos"), {"budget_bytes": 1024**2}, "more than the 1048576 of serving.memory_budget_bytes"),
        (wanted("nothing"), {}, "nothing"),
    ],
    ids=["good", "crash", "memory", "hang", "wrong", "crash later", "raise", "slow", "large", "unknown"],
)
async def test_a_probe_says_why_a_version_cannot_be_served(
    chaos_plugin: None, model: DesiredModel, limits: dict[str, Any], said: str | None
) -> None:
    reason = await prober(**limits).probe(model, None)
    if said is None:
        assert reason is None
    else:
        assert reason is not None
        assert re.search(said, reason), reason


async def test_a_real_model_passes_the_golden_test_that_was_found_for_it_and_another_does_not(tmp_path: Path) -> None:
    paths = []
    for seed in (1, 2):
        paths.append(tmp_path / f"{seed}.onnx")
        paths[-1].write_bytes(gemm_softmax(4, 3, seed=seed).SerializeToString())
    session = await Backends(Plugins()).get("onnx").load(ModelSource(name="m", version="1", path=paths[0]))
    test = await found(session)
    await session.close()
    assert isinstance(test, GoldenTest)
    model = wanted("onnx", golden=test)
    assert await prober().probe(model, paths[0]) is None
    reason = await prober().probe(model, paths[1])
    assert reason is not None
    assert "golden test: output" in reason
