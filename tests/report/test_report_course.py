"""A course over days: every number again from the files, thin days left out, one person, one span."""

import json
import re
import statistics
from datetime import date
from html import unescape

import numpy as np
import pytest

from feltsense.cli import main
from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.report import page, pdf
from feltsense.report.course import LEAST_WINDOWS, Digest, course
from feltsense.report.course_content import dashboard, over_days
from feltsense.report.digest import digest
from feltsense.session import extract
from feltsense.store import read, write

DAY0 = 1_767_258_000 * NS
"""2026-01-01 09:00 UTC."""
DAY_NS = 86_400 * NS
TEMP = StreamInfo("b.temp", spec("skin_temperature", 4), "Board")


def session(subject, day, level, minutes=12, answers=()):
    """Skin temperature at a level, and answers."""
    at = DAY0 + day * DAY_NS
    n = int(minutes * 60 * 4)
    values = level + 0.05 * np.sin(np.arange(n) / 40)
    chunk = Chunk(TEMP, 0, 0, values, TimeMap.uniform(at, TEMP.spec.rate))
    told = tuple(Event(at + k * NS, EventKind.ANSWER, float(v), "tense") for k, v in enumerate(answers))
    return Recording(subject, {TEMP.id: Stream.from_chunks(TEMP, [chunk])}, told)


LEVELS = {0: 31.0, 1: 31.4, 3: 31.8, 4: 32.2, 9: 33.0, 12: 33.4, 13: 33.8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("P01")
    for day, level in LEVELS.items():
        write(folder / f"{day:02d}.felt", session("P01", day, level, answers=(day, day + 2)))
    write(folder / "thin.felt", session("P01", 6, 20.0, minutes=4))
    return folder


def test_days_medians_ranges_and_answers_come_out_of_the_files(folder):
    made = course([digest(read(p)) for p in sorted(folder.glob("*.felt"))], 14)
    assert [d.day for d in made.days] == [date(2026, 1, k) for k in range(1, 15)]
    medians = {}
    for p in folder.glob("*.felt"):
        recording = read(p)
        values = [v["skin_temperature.mean"] for _, v in extract(recording, window=60.0, hop=60.0)]
        day = (recording.start_ns - DAY0) // DAY_NS
        medians[day] = (statistics.median(values), len(values))
    for k, d in enumerate(made.days):
        assert d.sessions == (k in medians)
        if k in medians:
            t = d.trends["skin_temperature.mean"]
            assert (t.median, t.usable, t.windows) == (medians[k][0], medians[k][1], medians[k][1])
            assert t.thin == (medians[k][1] < LEAST_WINDOWS)
    assert [a.value for a in made.days[9].answers] == [9.0, 11.0]
    before = sorted(medians[k][0] for k in (0, 1, 3, 4))
    median, low, high = made.range("skin_temperature.mean")
    assert median == pytest.approx((before[1] + before[2]) / 2)
    assert low == pytest.approx(before[0] + 0.3 * (before[1] - before[0]))
    assert high == pytest.approx(before[2] + 0.7 * (before[3] - before[2]))
    assert made.recent("skin_temperature.mean") == pytest.approx(medians[12][0])
    text = unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page(over_days(made)), flags=re.S))
    assert f"{median:.2f} ({low:.2f} to {high:.2f})" in text
    assert f"+{medians[12][0] - median:.2f}" in text
    assert "8 of 14 days have a recording" in text
    for k, (value, n) in medians.items():
        assert f"{value:.2f} ({n}/{n})" in text, k
    assert pdf(over_days(made, language="de")).startswith(b"%PDF")


def test_digests_survive_json_and_courses_are_of_one_person(folder):
    made = digest(read(folder / "00.felt"))
    assert Digest.of(json.loads(json.dumps(made.plain()))) == made
    with pytest.raises(ValueError, match="of 2"):
        course([made, digest(session("P02", 1, 30.0))], 14)
    with pytest.raises(ValueError, match="of 0"):
        course([], 14)


def test_command_line(folder, tmp_path, capsys):
    out, cache = tmp_path / "c.html", tmp_path / "d.json"
    line = ["report", str(folder), "--days", "14", "--digests", str(cache), "--out", str(out)]
    assert main(line) == 0
    first = out.read_text(encoding="utf-8")
    assert main(line) == 0
    assert out.read_text(encoding="utf-8") == first
    assert "http" not in first
    cache.write_text("{")
    assert main(line) == 2
    assert "no file of digests" in capsys.readouterr().err
    assert main(["report", str(folder), "--subject", "P99", "--out", str(out)]) == 2
    assert "known: P01" in capsys.readouterr().err


def test_a_studys_folder(folder, tmp_path, capsys):
    study = tmp_path / "study"
    (study / "P02").mkdir(parents=True)
    for p in folder.glob("*.felt"):
        (study / p.name).write_bytes(p.read_bytes())
    write(study / "P02" / "a.felt", session("P02", 2, 30.0))
    (study / "P02" / "bad.felt").write_bytes(b"SQLite format 3\0" + bytes(100))
    out = tmp_path / "s.html"
    assert main(["report", str(study), "--out", str(out)]) == 2
    assert "P01, P02; name one with --subject" in capsys.readouterr().err
    assert main(["study", "dashboard", str(study), "--days", "14", "--out", str(out)]) == 0
    text = unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", out.read_text(encoding="utf-8"), flags=re.S))
    for word in ("8/14", "1/14", "2026-01-03", "2026-01-14", "bad.felt", "Files that could not be read"):
        assert word in text
    assert main(["study", "dashboard", str(tmp_path / "no"), "--out", str(out)]) == 2
    assert dashboard([]).blocks
