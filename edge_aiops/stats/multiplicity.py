"""Many tests at once: which to believe, with a bound on the share of false alarms, or on the chance of any.

See docs/statistics/multiplicity.md.
"""

from edge_aiops._stats import (
    Discoveries,
    benjamini_hochberg,
    benjamini_yekutieli,
    e_benjamini_hochberg,
    holm,
)

__all__ = [
    "Discoveries",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "e_benjamini_hochberg",
    "holm",
]
