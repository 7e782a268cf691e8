"""The appendix draws the intervals that its tables are of, in both languages, and says what it leaves out."""

import re

import numpy as np
import pytest

import feltsense
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.report import page, pdf
from feltsense.report.appendix import MOST, _nn, appendix
from feltsense.report.blocks import Document, Picture, Section, Table
from feltsense.report.eda_chart import METHOD, eda_pictures, separated
from feltsense.report.long_form import long_form
from feltsense.report.say import Say


@pytest.fixture(scope="module")
def recording():
    return feltsense.participant(seed=4, minutes=7)


@pytest.fixture(scope="module")
def blocks(recording):
    return appendix(recording)


def inner(blocks):
    for b in blocks:
        yield from (inner(b.blocks) if isinstance(b, Section) else [b])


def test_pictures_have_every_interval_and_their_words_are_true(recording, blocks):
    tachogram, poincare, *_ = (b for b in inner(blocks) if isinstance(b, Picture))
    t_s, nn = _nn(recording)
    assert len(nn) < MOST
    assert f"{len(nn)} intervals from {nn.min():.0f} to {nn.max():.0f} ms" in tachogram.svg
    drawn = sum(len(p.split()) for p in re.findall(r'polyline points="([^"]*)"', tachogram.svg))
    # Every chart has one circle more, in its pattern of dots.
    assert drawn + tachogram.svg.count("<circle") - 1 == len(nn)
    pairs, sd1, sd2 = re.search(r"(\d+) pairs; SD1 ([\d.]+) ms across the diagonal, SD2 ([\d.]+)", poincare.svg).groups()
    assert poincare.svg.count("<circle") - 1 == int(pairs)
    tables = {i.name: i.value for a in long_form(recording).analyses if a.method == "hrv_nonlinear" for i in a.indices}
    assert float(sd1) == pytest.approx(tables["SD1"], rel=0.05)
    assert float(sd2) == pytest.approx(tables["SD2"], rel=0.05)
    assert np.all(np.diff(t_s) > 0)


def test_skin_conductance_is_drawn_as_the_table_counts_it(recording, blocks):
    *_, tonic, phasic = (b for b in inner(blocks) if isinstance(b, Picture))
    parts = separated(recording)
    known = np.isfinite(parts.tonic)
    # What is separated was smoothed before: the parts add up to the line but for steep flanks.
    assert np.mean(np.abs(parts.level - parts.tonic - parts.phasic)[known]) < 0.02
    table = next(a for a in long_form(recording).analyses if a.method == METHOD)
    values = {i.name: i.value for i in table.indices}
    assert len(parts.onsets) == values["scr_count_05"] > 0
    assert parts.tonic[known].mean() == pytest.approx(values["tonic_mean"])
    assert np.ptp(parts.tonic[known]) == pytest.approx(values["tonic_range"])
    assert f"with {len(parts.onsets)} responses" in phasic.svg
    assert phasic.svg.count('v7" stroke') == len(parts.onsets)
    assert f"{parts.tonic[known].max():.2f} µS" in tonic.svg
    drawn = [float(p.split(",")[1]) for line in re.findall(r'polyline points="([^"]*)"', phasic.svg) for p in line.split()]
    # The highest point of the phasic part is on paper: upwards is less.
    span = 80 / (1.16 * np.ptp(parts.phasic[known]))
    assert max(drawn) - min(drawn) == pytest.approx(np.ptp(parts.phasic[known]) * span, abs=0.2)


def test_what_is_not_usable_is_not_drawn():
    made = feltsense.participant(seed=4, minutes=7)
    stream = made.stream("board.eda")
    (segment,) = stream.segments
    values = segment.values.copy()
    values[400:800] = 0.0
    broken = Recording("S", {"board.eda": Stream(stream.info, (Segment(values, segment.time, None, 0),))})
    parts = separated(broken)
    hole = (parts.t_s > 102) & (parts.t_s < 198)
    assert not np.isfinite(parts.tonic[hole]).any()
    picture = eda_pictures(Say(), broken)[0]
    assert picture.svg.count("stroke-width=\"1.5\"") >= 2, "the line is open there"
    flat = Recording("S", {"board.eda": Stream(stream.info, (Segment(np.zeros((400, 1)), segment.time, None, 0),))})
    assert eda_pictures(Say(), flat) == []


def test_tables_are_the_long_form(recording, blocks):
    rows = [line.cells for b in inner(blocks) if isinstance(b, Table) for line in b.rows if len(line.cells) == 4]
    told = {cells[k]: cells[k + 1] for cells in rows for k in (0, 2)}
    for a in long_form(recording).analyses:
        for i in a.indices if a.kind == "hrv" else ():
            name = i.name if i.unit == "1" else f"{i.name}, {i.unit}"
            assert told[name].startswith(f"{i.value:.4g}" if np.isfinite(i.value) else "– (")


def test_german_pdf_and_a_recording_without_either(recording):
    german = appendix(recording, "de")
    assert "Tachogramm" in page(Document("t", "de", german))
    assert pdf(Document("t", "de", german)).startswith(b"%PDF")
    bare = Recording("S", {"board.temp": recording.stream("board.temp")})
    assert "no ECG and no skin conductance" in page(Document("t", "en", appendix(bare)))
