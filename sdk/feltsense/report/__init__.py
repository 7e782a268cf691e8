"""One page about one recording: :func:`summarise` gathers pure data, :func:`html` writes it down."""

from __future__ import annotations

from feltsense.report.page import html
from feltsense.report.summary import Summary, summarise

__all__ = ["Summary", "html", "summarise"]
