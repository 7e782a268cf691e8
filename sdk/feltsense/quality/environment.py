"""Whether a room sensor's readings are possible: outside its kind's range it shows a fault, not a room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feltsense.core.signals import SignalKind

__all__ = ["possible"]


def possible(kind: SignalKind, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which readings, shape (n,), are there and within the kind's plausible range."""
    return np.asarray(np.isfinite(values) & (values >= kind.low) & (values <= kind.high))
