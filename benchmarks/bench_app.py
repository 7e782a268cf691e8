"""The app's window: time to its first frame, and what the live screen costs with ECG 130 Hz, EDA and PPG.

With ``--day``: 24 simulated hours with faults (sensors lost, the app killed at 20 moments, the phone's clock set, the disk
full), every sample held against the virtual sensors' own counters, prompts, and memory. Takes some six minutes.

With ``--kill``: the app in a process of its own, killed (SIGKILL) at 20 random moments and started again; what it had
acknowledged is looked for in its files, and what was lost in their gaps. Takes two minutes.

Drawn in software without a screen, so a phone's graphics chip does better. The floor is an empty Kivy window in the same
run: its first frame, and its cost at the same frame rate. Counted is all CPU time of the process, the rasteriser's threads
included. The live screen is given samples from an array, as they would come; then everything at once: virtual sensors
recorded, judged and estimated from while the screen is shown, beside what the sensors and their radio take alone.
"""

import asyncio
import logging
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SECONDS = 20
MEMORY_MB = 15.0
"""Growth over a day that is none: the interpreter's and SQLite's own pools move by this much from hour to hour."""

WINDOWS = Path(__file__).with_name("app_windows.py")


def measure(what):
    """First frame in s (not of what is recorded), frames a second, share of a core."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {
            "SDL_VIDEODRIVER": "offscreen", "KIVY_HOME": folder, "KIVY_NO_ARGS": "1", "KIVY_LOG_MODE": "PYTHON",
            "KIVY_METRICS_DENSITY": "1",
        }  # fmt: skip
        command = [sys.executable, str(WINDOWS), what, str(SECONDS), folder]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        return [float(x) for x in re.findall(r"(?:first|fps|cpu) ([\d.]+)", done.stdout)]


def day(hours, kills, speed=250.0):
    """A day of faults; the tests live through a shorter one of the same making."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "app"))
    from day_of_faults import live, unaccounted, usual

    logging.getLogger("bumble").setLevel(logging.CRITICAL)
    it, real, cpu = usual(hours, kills), time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(live(it, Path(folder), speed))
    real, cpu = time.perf_counter() - real, time.process_time() - cpu
    print(f"{hours:g} h in {real:.0f} s ({cpu:.0f} s of CPU); killed {it.killed} times, sensors lost {len(it.lost)} times, "
          f"the clock set {len(it.clock)} times, the disk full {len(it.full)} times")  # fmt: skip
    print(f"{'samples':12} {'produced':>10} {'stored':>10} {'missing, said':>20}")
    for name, (stored, least, most) in it.counted.items():
        print(f"{name:12} {it.produced[name]:10} {stored:10} {f'{least} to {most}':>20}")
    ends = Counter(str(x.stage) for x in it.stages)
    print("prompts:", ", ".join(f"{n} {stage}" for stage, n in ends.items()), f"; without an end: {len(it.unended)}")
    early, late = max(it.memory[1:3]), max(it.memory[-2:])
    print(f"memory: {early:.0f} MB in the second hour, {late:.0f} MB in the last; home said {', '.join(sorted(it.said))}")
    if unaccounted(it) or it.unended or late - early > MEMORY_MB:
        sys.exit(f"not accounted for: {unaccounted(it)}, prompts {it.unended[:5]}, memory {late - early:+.0f} MB")


def kill(times):
    """A process that is killed; the tests do the same less often."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "app"))
    from killed_lives import STEADY, by_the_clock, lives, unsafe

    with tempfile.TemporaryDirectory() as folder:
        rows, kept = lives(Path(folder), times)
    named = {name for row in rows for name in row["safe"]}
    said = {name: sum(row["safe"].get(name, 0) for row in rows) for name in sorted(named)}
    found = ", ".join(f"{name} {n} of {rows[-1]['after'][name]}" for name, n in said.items())
    print(f"killed {times} times; acknowledged of what is stored: {found}")
    for recording in kept:
        for name in STEADY:
            elapsed, stored, least, most, segments, _ = by_the_clock(recording, name)
            print(f"{name}: {elapsed:.0f} samples by the clock; {stored} stored, {least} to {most} missing and said, "
                  f"{segments} segments")  # fmt: skip
            if not stored + least - segments <= elapsed <= stored + most + segments:
                sys.exit(f"{name}: not accounted for")
    if unsafe(rows):
        sys.exit(f"acknowledged, and not stored: {unsafe(rows)}")


def main():
    if "--kill" in sys.argv:
        kill(20)
        return
    if "--day" in sys.argv:
        day(24.0, 20)
        return
    floor, app = measure("empty"), measure("live")
    (_, sensors), (whole_fps, whole) = measure("radio"), measure("whole")
    print(f"{'':32} {'first frame':>12} {'frames/s':>9} {'of a core':>10} {'a frame':>9}")
    for name, (first, fps, cpu) in (("an empty window (floor)", floor), ("the app, live screen", app)):
        print(f"{name:32} {first:10.2f} s {fps:9.1f} {cpu:10.1%} {cpu / fps * 1e3:6.2f} ms")
    print(f"{'virtual sensors, read by nobody':32} {'':>12} {'':>9} {sensors:10.1%}")
    print(f"{'recorded, estimated, live screen':32} {'':>12} {whole_fps:9.1f} {whole:10.1%} (with the virtual sensors)")
    print(f"the app's first frame takes {app[0] / floor[0]:.1f} times the floor's; goals: 1 s, 30 frames/s, 20 % of a core")


if __name__ == "__main__":
    main()
