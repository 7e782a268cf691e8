"""A 30-day participant: how long from recordings, and from their digests, to the report as PDF.

    python benchmarks/bench_report.py [--keep DIR]

Times are CPU seconds of this process. The floor is for the report from digests, which `feltsense report FOLDER --digests
FILE` keeps; the first time each session's features are computed, once.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import feltsense
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, TimeMap
from feltsense.report import page, pdf
from feltsense.report.course import Digest, course, digest
from feltsense.report.course_content import over_days

FLOOR_S = 5.0
DAYS, MINUTES, MISSED = 30, 12, (6, 7, 19)
DAY_NS = 86_400 * NS


def moved(recording, by, answers):
    """The recording on another day, with answers."""
    streams = {}
    for k, s in recording.streams.items():
        segments = []
        for x in s.segments:
            t = x.time
            time_map = TimeMap(t.rate, t.index, t.device_ns + by, t.arrival_ns + by, t.t_ns + by, t.unc_ns)
            segments.append(Segment(x.values, time_map, x.gap, x.number))
        streams[k] = Stream(s.info, tuple(segments))
    events = tuple(replace(e, t_ns=e.t_ns + by) for e in recording.events)
    return Recording("synthetic-30", streams, events + answers, recording.metadata)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--keep", type=Path)
    args = p.parse_args()
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for day in range(DAYS):
            if day in MISSED:
                continue
            made = feltsense.participant(seed=day % 5, minutes=MINUTES if day % 11 else 7)
            at = made.start_ns + day * DAY_NS
            told = tuple(Event(at + k * NS, EventKind.ANSWER, float(rng.integers(20, 80)), "tense") for k in range(3))
            feltsense.write(folder / f"{day:02d}.felt", moved(made, day * DAY_NS, told))
        cpu = time.process_time()
        digests = [digest(feltsense.read(f)) for f in sorted(folder.glob("*.felt"))]
        first = time.process_time() - cpu
    kept = json.dumps([d.plain() for d in digests])
    cpu = time.process_time()
    made = over_days(course([Digest.of(d) for d in json.loads(kept)], DAYS), "Study team, room 12")
    content = pdf(made)
    again = time.process_time() - cpu
    each = first / len(digests)
    print(f"{len(digests)} sessions of {MINUTES} min in {DAYS} days: features, once: {first:.1f} s ({each:.2f} s each)")
    print(f"report of {DAYS} days from digests to PDF: {again:.2f} s   floor {FLOOR_S} s")
    if args.keep:
        args.keep.mkdir(exist_ok=True)
        (args.keep / "course.pdf").write_bytes(content)
        (args.keep / "course.html").write_text(page(made), encoding="utf-8")
        german = over_days(course(digests, DAYS), "Studienteam, Raum 12", "de")
        (args.keep / "course_de.pdf").write_bytes(pdf(german, "letter"))


if __name__ == "__main__":
    main()
