"""The chest's device of WESAD; all about it in :mod:`feltsense.datasets.wesad`."""

from __future__ import annotations

from functools import partial

from feltsense.datasets.wesad import CHEST, NOTICE, read_part

__all__ = ["DATASET", "NOTICE"]

DATASET = partial(read_part, CHEST)
