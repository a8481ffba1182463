"""Data quality: whether what comes in is as the schema or the baseline says."""

from edge_aiops.observe.quality.quality import QualityChecks
from edge_aiops.observe.quality.report import Finding, QualityReport
from edge_aiops.observe.quality.schema import FeatureSchema, ModelSchema, given_ranges, schema_of

__all__ = ["FeatureSchema", "Finding", "ModelSchema", "QualityChecks", "QualityReport", "given_ranges", "schema_of"]
