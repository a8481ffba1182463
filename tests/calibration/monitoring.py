"""How often a monitored model is said to have drifted while nothing drifts, and how soon when something does.

python -m tests.calibration.monitoring prints the tables of docs/monitoring/calibration.md. Models are simulated in
five-minute windows: what each of them adds goes to the evidence in monitoring.db, and the checks that run on schedule
decide with their hysteresis, all of it by the code that runs in a node, on its default configuration but where a table
says otherwise. Only the events are drawn, and the windows of the last day are kept in memory.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge_aiops.observe.baselines.baseline import ModelBaseline, Role
from edge_aiops.observe.config import ConceptDrift, DistributionDrift, DriftConfig, MonitoringConfig
from edge_aiops.observe.drift import evidence
from edge_aiops.observe.drift.checks import DriftChecks
from edge_aiops.observe.drift.result import DriftResult
from edge_aiops.observe.granularity import WIDTH_MS, window_start
from edge_aiops.observe.tables import MONITORING_SCHEMA
from edge_aiops.plugin.extensions import Extensions
from edge_aiops.plugin.loader import load_plugins
from edge_aiops.plugin.specs import DriftTestSpec
from edge_aiops.stats.comparison import compare
from edge_aiops.stats.multiplicity import e_benjamini_hochberg
from edge_aiops.stats.summaries import Baseline, Profile
from edge_aiops.store.local import LocalDatabase
from edge_aiops.testing.clock import FakeClock

from .comparisons import DRIFTS, MODEL, Draws, columns
from .decisions import Random, Rate

REFERENCE = 10_000
EVENTS = 300
WINDOWS_A_DAY = 288
WINDOW_S = WIDTH_MS["5min"] / 1000
VERSION = "1"
