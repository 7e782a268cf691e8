"""A report's summary as JSON, for programs: the whole content of the report, NaN as null."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feltsense.report.summary import Summary

__all__ = ["summary_json"]

VERSION = 1


def summary_json(summary: Summary) -> str:
    """Write a summary; what could not be measured is ``null``."""
    content = {"format": f"feltsense summary {VERSION}", **_plain(summary)}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, str) else value
