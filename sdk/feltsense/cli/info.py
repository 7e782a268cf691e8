"""``feltsense info``: what is in a recording, what is missing, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from feltsense.core.recording import Recording
    from feltsense.report.account import GapLine, StreamLine

__all__ = ["add", "run"]

MOST_GAPS = 20
"""Gaps that the table shows; the others are counted, and --json has all."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "info",
        help="show what is in a recording",
        description="Show signals, rates, duration, what is missing and why, coverage and events.",
    )
    p.add_argument("recording", type=Path, help="a .felt file, or an E4 folder or zip")
    p.add_argument("--json", action="store_true", help="print JSON for programs")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read and print."""
    from feltsense.importers import open_recording

    facts = describe(open_recording(args.recording))
    print(json.dumps(facts, indent=2, ensure_ascii=False) if args.json else "\n".join(_page(str(args.recording), facts)))
    return 0


def describe(recording: Recording) -> dict[str, Any]:
    """What the page says, as plain data.

    Parameters
    ----------
    recording : Recording
        What to describe; it may hold no samples.

    Returns
    -------
    dict
        ``subject``, ``start`` (ISO 8601, UTC), ``start_unix``, ``seconds``, ``metadata``, ``streams`` (each with its
        ``gaps``), ``events`` (kind → count).
    """
    from collections import Counter
    from datetime import UTC, datetime

    from feltsense.core.timeline import to_seconds
    from feltsense.report.account import stream_lines

    start = to_seconds(recording.start_ns) if recording.streams else None
    return {
        "subject": recording.subject,
        "start": None if start is None else datetime.fromtimestamp(start, UTC).isoformat(timespec="milliseconds"),
        "start_unix": start,
        "seconds": recording.seconds if recording.streams else 0.0,
        "metadata": dict(recording.metadata),
        "streams": [_stream(line) for line in (stream_lines(recording) if recording.streams else ())],
        "events": dict(sorted(Counter(e.kind.value for e in recording.events).items())),
    }


def _stream(line: StreamLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "signal": line.signal,
        "unit": line.unit,
        "device": line.device,
        "rate": line.rate,
        "received": line.received,
        "missing": line.missing,
        "missing_upper": line.missing_upper,
        "unreadable": line.unreadable,
        "coverage": line.coverage,
        "gaps": [_gap(gap) for gap in line.gaps],
    }


def _gap(gap: GapLine) -> dict[str, Any]:
    return {
        "start_s": gap.start_s,
        "stop_s": gap.stop_s,
        "samples": gap.samples,
        "samples_upper": gap.upper,
        "reason": gap.reason,
    }


def _page(name: str, facts: dict[str, Any]) -> Iterable[str]:
    yield f"{name}: subject {facts['subject']}, {_clock(facts['seconds'])} from {facts['start'] or 'never'}"
    for key, value in facts["metadata"].items():
        yield f"  {key}: {' '.join(value.split())}"
    yield ""
    if not facts["streams"]:
        yield "no samples"
    else:
        head = ("stream", "signal", "unit", "rate", "received", "missing", "gaps", "coverage", "device")
        yield from _table(head, [_cells(s) for s in facts["streams"]])
    gaps = sorted(((g["start_s"], s["id"], g) for s in facts["streams"] for g in s["gaps"]), key=lambda g: g[:2])
    if gaps:
        yield ""
        rows = [(i, _clock(t), f"{g['stop_s'] - t:.2f} s", _count(g), g["reason"]) for t, i, g in gaps[:MOST_GAPS]]
        yield from _table(("gap in", "at", "length", "samples", "reason"), rows)
        if len(gaps) > MOST_GAPS:
            yield f"and {len(gaps) - MOST_GAPS} more gaps (all of them: --json)"
    if facts["events"]:
        yield ""
        yield "events: " + ", ".join(f"{n} {kind}" for kind, n in facts["events"].items())


def _cells(s: dict[str, Any]) -> tuple[str, ...]:
    rate = "irregular" if s["rate"] is None else f"{s['rate']:g} Hz"
    coverage = "" if s["coverage"] is None else f"{s['coverage']:.1%}"
    missing = _count({"samples": s["missing"], "samples_upper": s["missing_upper"]})
    return s["id"], s["signal"], s["unit"], rate, str(s["received"]), missing, str(len(s["gaps"])), coverage, s["device"]


def _count(gap: dict[str, Any]) -> str:
    low, high = gap["samples"], gap["samples_upper"]
    return str(low) if low == high else f"{low} to {high}"


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
