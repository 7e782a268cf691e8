"""The appendix draws the intervals that its tables are of, in both languages, and says what it leaves out."""

import re

import numpy as np
import pytest

import feltsense
from feltsense.core.recording import Recording
from feltsense.report import page, pdf
from feltsense.report.appendix import MOST, _nn, appendix
from feltsense.report.blocks import Document, Picture, Section, Table
from feltsense.report.long_form import long_form


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
    tachogram, poincare = (b for b in inner(blocks) if isinstance(b, Picture))
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
