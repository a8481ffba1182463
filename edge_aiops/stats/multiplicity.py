"""Many tests at once: which features to believe, with a bound on the share of false alarms among the alarms.

See docs/statistics/multiplicity.md.
"""

from edge_aiops._stats import (
    Discoveries,
    benjamini_hochberg,
    benjamini_yekutieli,
    e_benjamini_hochberg,
)

__all__ = [
    "Discoveries",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "e_benjamini_hochberg",
]
