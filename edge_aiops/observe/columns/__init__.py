"""From the payloads of events to columns of numbers and labels, one a feature."""

from edge_aiops.observe.columns.columns import Columns, NumberColumn, Plain
from edge_aiops.observe.columns.inputs import InputColumns, inputs_of
from edge_aiops.observe.columns.outcomes import OutcomeColumns, outcomes_of
from edge_aiops.observe.columns.outputs import OutputColumns, outputs_of
from edge_aiops.observe.columns.table import derived_from_table

__all__ = [
    "Columns",
    "InputColumns",
    "NumberColumn",
    "OutcomeColumns",
    "OutputColumns",
    "Plain",
    "derived_from_table",
    "inputs_of",
    "outcomes_of",
    "outputs_of",
]
