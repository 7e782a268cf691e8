"""Reports: pure data first, then what is said about them, then HTML or PDF.

:func:`summarise` gathers a session's data; :func:`session` says them for a clinician and :func:`plain` for the person, in
English or German; :func:`page` and :func:`pdf` write either down. :func:`html` is the first and the third in one.
"""

from __future__ import annotations

from feltsense.report.content import session
from feltsense.report.page import html, page
from feltsense.report.pdf import pdf
from feltsense.report.plain import plain
from feltsense.report.summary import Summary, summarise

__all__ = ["Summary", "html", "page", "pdf", "plain", "session", "summarise"]
