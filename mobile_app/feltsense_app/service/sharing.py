"""A report of a recording, as the command line writes it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from feltsense.errors import FeltsenseError
from feltsense.report import html, summarise
from feltsense.report.summary import model_line
from feltsense.session import predict
from feltsense.store import read

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from feltsense.bundle import Bundle
    from feltsense.core.profile import UserProfile
    from feltsense.store import DataKey

__all__ = ["made", "report"]

HOP_S = 10.0
"""Seconds between estimates in the report: half of the command line's work, on a phone."""


def report(recording: Path, bundle: Bundle, profile: UserProfile | None, contact: str, key: DataKey | None = None) -> Path:
    """Write the page beside the recording; gives its path. The page is not sealed: it is made to be given away.

    Raises
    ------
    FeltsenseError
        If the recording cannot be read.
    OSError
        If the page cannot be written.
    """
    read_back = read(recording, key)
    predictions = predict(read_back, bundle, profile, HOP_S)
    line = model_line(bundle, calibrated=profile is not None)
    summary = summarise(read_back, predictions, profile, model=line)
    path = recording.with_name(f"report-{recording.stem}.html")
    path.write_text(html(summary, contact), encoding="utf-8")
    return path


async def made(
    recordings: Sequence[Path], bundle: Callable[[], Bundle], profile: UserProfile | None, contact: str, key: DataKey | None
) -> tuple[str, str]:
    """The page about the last recording, made in a thread: its path, and why there is none."""
    if not recordings:
        return "", "no recording yet"
    try:
        return str(await asyncio.to_thread(report, recordings[-1], bundle(), profile, contact, key)), ""
    except (FeltsenseError, OSError) as error:
        return "", str(error)
