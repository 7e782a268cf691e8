"""Body signals in, felt state out: emotion and stress recognition from wearables, calibrated to one person."""

from __future__ import annotations

__version__ = "0.1.0"
