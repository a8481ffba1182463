"""How findings become violations, and what becomes of checks that fail."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

import edge_aiops.observe.plugin
from edge_aiops.base.errors import InvalidInput
from edge_aiops.observe.config import QualityConfig
from edge_aiops.observe.quality.judge import Judge, score
from edge_aiops.observe.quality.quality import check_names
from edge_aiops.plugin import guarding, hookimpl
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.monitoring import QualityData, QualityFinding
from edge_aiops.plugin.specs import QualityCheckSpec
from edge_aiops.testing.plugins import entry_point, plugin_module, plugins_of
from edge_aiops.testing.quality_contract import ROWS, sample, sample_feature

from .site import Site, people

Check = Callable[[QualityData], Any]


def plugin(**checks: Check) -> EntryPoint:
    """A plugin with these checks, whose threshold is 0.1."""

    class Made:
        def __init__(self, check: Check) -> None:
            self.check = check

    name = f"in_memory_quality_{'_'.join(checks)}"
    module = plugin_module(name, **{f"make_{check}": lambda run=run: Made(run) for check, run in checks.items()})
    specs = [
        QualityCheckSpec(name=check, factory=f"{name}:make_{check}", description="in memory", threshold=0.1)
        for check in checks
    ]

    def register_quality_checks() -> list[QualityCheckSpec]:
        return specs

    vars(module)["register_quality_checks"] = hookimpl(register_quality_checks)
    sys.modules[name] = module
    return entry_point(module, name)


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """Modules made by a test go with it."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("in_memory_quality_"):
            del sys.modules[name]


def judge_of(**checks: Check) -> Judge:
    plugins = plugins_of(plugin(**checks))
    return Judge(Extensions(plugins, hook="register_quality_checks", spec=QualityCheckSpec))


def finding(affected: Any = 0, rows: int = ROWS, **more: Any) -> QualityFinding:
    return QualityFinding(check="", feature=None, affected=affected, rows=rows, message="wrong", **more)


@pytest.mark.parametrize(
    ("found", "config", "violated"),
    [
        (finding(100), {}, False),
        (finding(101), {}, True),
        (finding(101), {"thresholds": {"mine": 0.2}}, False),
        (finding(1), {"thresholds": {"mine": 0}}, True),
        (finding(101, tolerated=0.05), {}, False),
        (finding(200, tolerated=0.05), {}, True),
        (finding(0, rows=0, share=1.0), {}, True),
        (finding(0, rows=0), {}, False),
    ],
)
async def test_a_finding_is_a_violation_above_the_threshold_and_what_is_tolerated(
    found: QualityFinding, config: dict[str, Any], violated: bool
) -> None:
    judgement = await judge_of(mine=lambda data: [found]).judge(sample(), QualityConfig(**config))
    assert [one.violated for one in judgement.findings] == [violated]
    assert judgement.findings[0].check == "mine"


async def test_few_rows_above_what_is_tolerated_may_be_chance() -> None:
    config = QualityConfig(thresholds={"mine": 0.0})
    for affected, rows, violated in ((3, 20, False), (150, 1_000, True)):
        judge = judge_of(mine=lambda data, n=affected, of=rows: [finding(n, of, tolerated=0.05)])
        assert (await judge.judge(sample(), config)).findings[0].violated is violated


async def test_violations_come_first_and_then_the_largest_shares() -> None:
    found = [finding(share=share) for share in (0.05, 0.3, 0.08, 0.9)]
    judgement = await judge_of(mine=lambda data: found).judge(sample(), QualityConfig())
    assert [one.share for one in judgement.findings] == [0.9, 0.3, 0.08, 0.05]


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (lambda data: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda data: None, "TypeError: it gave something else than a list of QualityFinding"),
        (lambda data: ["bad"], "TypeError: it gave something else than a list of QualityFinding"),
        (lambda data: [finding(5, rows=3)], "ValueError: it says that 5 of 3 rows are affected"),
        (lambda data: [finding(share=float("nan"))], "ValueError: it gives a share of nan"),
        (lambda data: [finding("7")], "ValidationError: Expected `int`, got `str` - at `$[0].affected`"),
        (lambda data: sys.exit("no more"), "SystemExit: no more"),
        (lambda data: [finding(-1)], "ValueError: it says that -1 of 1000 rows are affected"),
    ],
)
async def test_a_check_that_fails_is_named_and_harms_no_other(check: Check, reason: str) -> None:
    judge = judge_of(bad=check, good=lambda data: [finding(500)])
    judgement = await judge.judge(sample(), QualityConfig())
    assert judgement.failed == {"bad": reason}
    assert [one.check for one in judgement.findings] == ["good"]


async def test_a_check_that_cannot_be_made_is_named() -> None:
    entry = plugin(mine=lambda data: [])
    vars(sys.modules["in_memory_quality_mine"]).pop("make_mine")
    judge = Judge(Extensions(plugins_of(entry), hook="register_quality_checks", spec=QualityCheckSpec))
    judgement = await judge.judge(sample(), QualityConfig())
    assert "make_mine" in judgement.failed["mine"]


async def test_a_check_that_does_not_end_is_given_up_and_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "TIMEOUT_S", 0.05)
    ends, began = threading.Event(), []

    def waits(data: QualityData) -> list[QualityFinding]:
        began.append(1)
        ends.wait(30)
        return [finding(500)]

    judge = judge_of(mine=waits)
    try:
        assert "did not end within" in (await judge.judge(sample(), QualityConfig())).failed["mine"]
        assert "has not ended yet" in (await judge.judge(sample(), QualityConfig())).failed["mine"]
        assert len(began) == 1
    finally:
        ends.set()


async def test_only_configured_checks_run_and_an_unknown_one_is_named() -> None:
    judge = judge_of(one=lambda data: [finding(1)], two=lambda data: [finding(2)])
    judgement = await judge.judge(sample(), QualityConfig(checks=("two", "three")))
    assert [one.check for one in judgement.findings] == ["two"]
    assert "there is no quality check 'three'; there are: one, two" in judgement.failed["three"]


async def test_of_too_few_rows_checks_see_none() -> None:
    seen: list[QualityData] = []
    data = sample(sample_feature("age", null=19), rows=19, duplicates=18, wrong_shape=1)
    await judge_of(mine=lambda data: seen.append(data) or []).judge(data, QualityConfig())
    assert (seen[0].rows, seen[0].features, seen[0].duplicates, seen[0].wrong_shape) == (0, {}, 0, 0)
    assert score(data, QualityConfig()) is None


def test_the_score_is_the_share_of_values_that_are_as_they_should_be() -> None:
    config = QualityConfig()
    assert score(sample(), config) is None
    assert score(sample(sample_feature("a"), sample_feature("b")), config) == 1
    assert score(sample(sample_feature("a", absent=500), sample_feature("b")), config) == 0.75
    assert score(sample(sample_feature("a", absent=500, required=False)), config) == 1
    assert score(sample(sample_feature("a", null=100)), config) == 1
    assert score(sample(sample_feature("a", null=100, nullable=False)), config) == 0.9
    assert score(sample(sample_feature("a", null=100, null_rate_baseline=0.0)), config) == 0.9
    assert score(sample(sample_feature("a", null=100, null_rate_baseline=0.2)), config) == 1
    assert score(sample(sample_feature("a"), wrong_shape=250), config) == 0.75
    assert score(sample(sample_feature("a", wrong_type=ROWS, infinite=ROWS)), config) == 0
    assert score(sample(sample_feature("a"), sample_feature("extra", expected=False)), config) == 1


async def test_a_plugin_adds_a_check_and_its_failure_is_in_the_report(started: Callable[..., Site]) -> None:
    site = started(plugin(always=lambda data: [finding(data.rows, data.rows)], never=lambda data: 1 / 0))
    site.serve()
    site.send(people(30))
    report = await site.check()
    assert report.violations == ("wrong",)
    assert report.failed == {"never": "ZeroDivisionError: division by zero"}


def test_a_configuration_with_a_check_that_is_not_there_is_refused() -> None:
    builtin = entry_point(edge_aiops.observe.plugin, "builtin")
    known = Extensions(plugins_of(builtin), hook="register_quality_checks", spec=QualityCheckSpec)
    for field, wrong in (
        ("quality.checks[1]", QualityConfig(checks=("range", "nulls"))),
        ("quality.thresholds.nulls", QualityConfig(thresholds={"nulls": 0.1})),
    ):
        with pytest.raises(InvalidInput, match="ere are: constant, duplicates") as caught:
            check_names(wrong, known)
        assert [blamed for blamed, _ in caught.value.fields] == [field]
    check_names(QualityConfig(checks=("null_rate",)), known)
