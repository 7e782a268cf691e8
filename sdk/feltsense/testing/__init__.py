"""For authors of plug-ins: public conformance suites, and recordings cut and damaged in every way that happens.

>>> from feltsense.testing import check_extractor
>>> check_extractor(MyExtractor, recording)      # doctest: +SKIP
"""

from __future__ import annotations

from feltsense.testing.extractors import ConformanceError, check_extractor, run_extractor
from feltsense.testing.strategies import first_seconds, rechunk, repeated, with_gap, with_values

__all__ = [
    "ConformanceError",
    "check_extractor",
    "first_seconds",
    "rechunk",
    "repeated",
    "run_extractor",
    "with_gap",
    "with_values",
]
