"""A 30-day participant: how long from recordings, and from their digests, to the report as PDF.

    python benchmarks/bench_report.py [--keep DIR]

First the command as a user runs it, `feltsense report FOLDER`, in seconds of the clock, start-up included: on a machine
that does something else it is longer. Then its parts as CPU seconds of this process: each session's features and estimates,
which are computed once where `--digests FILE` keeps them, and the report from them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import feltsense
from feltsense.core.event import Event, EventKind
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import NS
from feltsense.report import page, pdf
from feltsense.report.course import Digest, course
from feltsense.report.course_content import over_days
from feltsense.report.digest import digest
from feltsense.report.plain_course import plain_days
from feltsense.report.summary import model_line
from feltsense.report.tally import card

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / "report")]
from report_cases import moved  # noqa: E402

FLOOR_S = 5.0
DAYS, MINUTES, MISSED = 30, 12, (6, 7, 19)
DAY_NS = 86_400 * NS


def command(folder, profile):
    """Seconds of the clock from recordings to a PDF, start-up included; the better of two."""
    best = np.inf
    program = "import sys; from feltsense.cli import main; sys.exit(main())"
    asked = ["report", str(folder), "--profile", str(profile), "--out", str(folder / "course.pdf")]
    for _ in range(2):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, *asked], check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - begin)
    return best


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
        model = feltsense.load_bundle()
        resting = [RestInterval(made.start_ns, made.start_ns + 270 * NS)]
        profile = feltsense.calibrate(feltsense.read(folder / "00.felt"), resting, model)
        profile.save(folder / "user.json")
        seconds = command(folder, folder / "user.json")
        who = card(model_line(model), profile)
        cpu = time.process_time()
        digests = [digest(feltsense.read(f), model, profile) for f in sorted(folder.glob("*.felt"))]
        first = time.process_time() - cpu
    kept = json.dumps([d.plain() for d in digests])
    cpu = time.process_time()
    made = over_days(course([Digest.of(d) for d in json.loads(kept)], DAYS), "Study team, room 12", made_by=who)
    pdf(made)
    again = time.process_time() - cpu
    each = first / len(digests)
    print(f"feltsense report FOLDER, {DAYS} days, {os.cpu_count()} cores: {seconds:.1f} s of the clock   floor {FLOOR_S} s")
    print(f"{len(digests)} sessions of {MINUTES} min in {DAYS} days: features, estimates: {first:.1f} s ({each:.2f} s each)")
    print(f"report of {DAYS} days, from recordings to PDF: {first + again:.2f} s, of which from digests: {again:.2f} s   "
          f"floor {FLOOR_S} s")  # fmt: skip
    if args.keep:
        args.keep.mkdir(exist_ok=True)
        whole = course(digests, DAYS)
        for language, paper in (("en", "a4"), ("de", "a4"), ("en", "letter"), ("de", "letter")):
            for name, say in (("clinician", over_days), ("participant", plain_days)):
                document = say(whole, "Study team, room 12", language, who)
                (args.keep / f"{name}_{language}_{paper}.pdf").write_bytes(pdf(document, paper))
                (args.keep / f"{name}_{language}.html").write_text(page(document), encoding="utf-8")


if __name__ == "__main__":
    main()
