"""The page: nothing fetched, everything escaped, valid charts, the limits said, and the numbers of the summary in it."""

import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from report_cases import T0, predictions, profile, recording, stream, vectors

from feltsense.core.chunk import Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.signals import IRREGULAR, spec
from feltsense.core.timeline import NS, TimeMap
from feltsense.report import html, summarise, words
from feltsense.report.summary import EventLine, ModelLine
from feltsense.report.svg import Chart, line_chart, ticks

VOID = {"meta"}
NASTY = """<script>alert('x')</script>&"'"""


class Tree(HTMLParser):
    """Checks that tags nest, and collects text, tags and attributes."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.tags, self.attributes = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parse(svg):
    return Xml.fromstring(svg)  # noqa: S314 - our own chart


def read(page):
    tree = Tree()
    tree.feed(page)
    assert not tree.open
    return tree


def visible(page):
    return " ".join(read(re.sub(r"<style>.*?</style>", "", page, flags=re.S)).text)


@pytest.fixture(scope="module")
def summary():
    card = ModelLine("stress-1.0", "20 people", "balanced accuracy 0.71")
    return summarise(recording(), predictions(), profile(), model=card, vectors=vectors())


@pytest.fixture(scope="module")
def page(summary):
    return html(summary)


def test_page_fetches_nothing_and_runs_nothing(page):
    tree = read(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "use", "image", "a"} & set(tree.tags)
    assert not {"href", "src", "xlink:href", "srcset", "action"} & {k for k, _ in tree.attributes}
    assert not any(k.startswith("on") for k, _ in tree.attributes)
    assert "http:" not in page
    assert "https:" not in page
    assert "@import" not in page
    assert all(u.startswith("#") for u in re.findall(r"url\(([^)]*)\)", page))


def test_ids_are_unique_and_every_reference_has_its_target(page):
    tree = read(page)
    ids = [v for k, v in tree.attributes if k == "id"]
    assert len(ids) == len(set(ids))
    wanted = {i for k, v in tree.attributes if k == "aria-labelledby" for i in v.split()}
    assert wanted | set(re.findall(r"url\(#([^)]*)\)", page)) <= set(ids)


def test_charts_are_valid_xml_with_words(page):
    charts = re.findall(r"<svg.*?</svg>", page, flags=re.S)
    roots = [parse(c) for c in charts]
    pictures = [r for r in roots if r.get("role") == "img"]
    assert len(pictures) == 8
    for r in pictures:
        assert r.find("title").text
        assert len(r.find("desc").text) > 20
    assert all(r.get("aria-hidden") == "true" for r in roots if r not in pictures)


def test_what_was_drawn_lies_inside_its_drawing(page):
    for svg in re.findall(r'<svg viewBox="0 0 720.*?</svg>', page, flags=re.S):
        root = parse(svg)
        _, _, width, height = map(float, root.get("viewBox").split())
        drawn = [e for e in root if e.tag != "defs"]
        for e in (x for group in drawn for x in group.iter()):
            if e.tag == "rect":
                assert float(e.get("x")) >= 0
                assert float(e.get("x")) + float(e.get("width")) <= width
                assert float(e.get("y")) >= 0
                assert float(e.get("y")) + float(e.get("height")) <= height
            if e.tag == "polyline":
                for pair in e.get("points").split():
                    x, y = map(float, pair.split(","))
                    assert 92 <= x <= width
                    assert 0 <= y <= height


def test_line_stays_open_where_a_window_has_no_value(summary, page):
    chart = next(c for c in re.findall(r"<svg.*?</svg>", page, flags=re.S) if 'id="estimate-title"' in c)
    empty = sum(math.isnan(p.probability) for p in summary.estimate.points)
    assert empty == 4
    assert len(parse(chart).findall("polyline")) == 2


def test_numbers_of_the_summary_are_on_the_page(summary, page):
    text = visible(page)
    for f in summary.figures:
        digits = {"bpm": 0, "ms": 1, "µS": 2, "1/min": 1, "°C": 2}[f.unit]
        assert f"{f.rest.median:.{digits}f} (" in text
        assert f"{f.after.median:.{digits}f} (" in text
        assert f"{abs(f.change):.{digits}f}" in text
    for s in summary.streams:
        assert words.count(s.received) in text
    e = summary.estimate
    assert f"{dict(e.labels)['stress']} of {e.outside}" in text
    assert "no estimate: ECG: gap, skin conductance: no signal" in text
    assert f"In {e.open} of the {e.decided} decided windows" in text
    assert "73 to 146" in text
    assert "the connection was down" in text
    assert "10.0 s" in text
    assert "balanced accuracy 0.71" in text
    assert "2027-01-15 08:00:00 UTC" in text
    assert "Disconnected" not in text
    assert "disconnected" in text


def test_limits_are_said_and_no_illness_is_named(page):
    text = visible(page).lower()
    assert "not a medical device" in text
    assert re.findall(r"\w* \w* diagnos\w*", text) == ["not a diagnosis"] * 2
    for word in ("disorder", "depress", "anxiety", "patient", "patholog", "normal", "symptom", "treat", "disease"):
        assert word not in text, word


def test_thin_data_are_grey_and_said_to_be_thin(page):
    row = re.search(r'<tr class="thin">.*?</tr>', page).group()
    assert "RMSSD" in row
    assert "thin data" in row
    assert page.count('<tr class="thin">') == 1


def test_everything_from_outside_is_escaped(summary):
    nasty = replace(
        summary,
        subject=NASTY,
        source=((NASTY, NASTY),),
        streams=tuple(replace(s, id=NASTY, device=NASTY) for s in summary.streams),
        figures=tuple(replace(f, title=NASTY) for f in summary.figures),
        estimate=replace(
            summary.estimate,
            target=NASTY,
            about=NASTY,
            labels=((NASTY, 1),),
            silent=((NASTY, 1),),
            drivers=((NASTY, 1.0),),
            points=tuple(replace(p, label=NASTY, reason=NASTY) for p in summary.estimate.points),
        ),
        model=ModelLine(NASTY, NASTY, NASTY),
        calibration=NASTY,
        events=(EventLine(1.0, "label", 400.0, NASTY), EventLine(1.0, NASTY, 0.0, NASTY)),
        notices=(NASTY,),
    )
    page = html(nasty, contact=NASTY)
    tree = read(page)
    assert "script" not in tree.tags
    assert NASTY in "".join(tree.text)
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        parse(svg)


def test_contact_line(summary):
    assert "Questions about this report: Dr Who, 555." in visible(html(summary, contact="Dr Who, 555"))


def odd_recordings():
    away = Gap(10, 12, GapReason.STALL)
    gaps = [(0, 1, away), *((k * 3.0, k * 3.0 + 0.5, away) for k in range(1, 60))]
    yield "all gaps", Recording("P", {"board.eda": stream("board.eda", "eda", 4, gaps)}), {}
    yield "one sample", Recording("P", {"board.eda": stream("board.eda", "eda", 4, [(0, 0.25, None)])}), {}
    yield "one stream", Recording("P", {"board.temp": stream("board.temp", "skin_temperature", 4, [(0, 90, None)])}), {}
    yield "no device", Recording("P", {"x": stream("x", "eda", 4, [(0, 90, None)], "")}), {}
    yield "not calibrated", recording(), {"predictions": predictions(), "vectors": vectors()}
    yield "calibration only", recording(5), {"predictions": predictions(5)[:10], "profile": profile(), "vectors": vectors(5)}
    one = predictions(5)[:1]
    yield "one window", recording(5), {"predictions": one, "profile": profile(), "vectors": vectors(5)[:1]}
    many = Recording("P", recording().streams, tuple(Event(recording().start_ns + k, EventKind.MARKER) for k in range(99)))
    yield "many events", many, {"vectors": vectors()}
    other = predictions(8, target="arousal", classes=("low", "high"))
    yield "another target", recording(8), {"predictions": other, "profile": profile(), "vectors": vectors(8)}


@pytest.mark.parametrize(("name", "rec", "given"), list(odd_recordings()), ids=[n for n, *_ in odd_recordings()])
def test_odd_recordings_make_a_page(name, rec, given):
    page = html(summarise(rec, **given))
    read(page)
    assert not re.search(r"\bnan\b", visible(page), re.I)
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        parse(svg)
    if name == "all gaps":
        assert "And 20 shorter gaps" in visible(page)
    if name == "many events":
        assert "And 39 more." in visible(page)
    if name == "another target":
        assert "“high”" in visible(page)


def test_words():
    assert words.number(-0.001) == "0.0"
    assert words.number(-1.25, 2) == "−1.25"
    assert words.number(float("nan")) == "–"
    assert words.signed(0.01) == "0.0"
    assert words.signed(2.0, 0) == "+2"
    assert words.percent(0.9999) == "> 99.9 %"
    assert words.percent(0.0001) == "< 0.1 %"
    assert words.percent(1.0) == "100 %"
    assert words.clock(3725) == "1:02:05"
    assert words.duration(59.97) == "60.0 s"
    assert words.duration(3725) == "1 h 2 min 5 s"
    assert words.count(12345, 12346) == "12\u202f345 to 12\u202f346"


def test_ticks_are_round_and_inside():
    for low, high in ((0, 1), (64.2, 81.7), (33.18, 33.22), (-3, 1e6), (0, 0.04)):
        found = ticks(low, high)
        assert 2 <= len(found) <= 6
        assert all(low - 1e-9 <= v <= high + 1e-9 for v in found)


def test_chart_of_one_value_is_a_dot():
    svg = line_chart(Chart("c", "t", "d", 60.0), [(30.0, 0.5)], (0.0, 1.0))
    root = parse(svg)
    assert root.findall("polyline") == []
    assert len(root.findall("circle")) == 1


def test_intervals_that_a_device_derives_do_not_bury_the_gaps_of_its_signals():
    info = StreamInfo("e4.ibi", spec("rr", IRREGULAR), "E4")
    unsure = Gap(1, 9, GapReason.SOURCE)
    times = [TimeMap.irregular(T0 + NS * np.arange(a, a + 3)) for a in range(0, 90, 10)]
    runs = [Segment(np.full((3, 1), 0.8), t, unsure if k else None, k) for k, t in enumerate(times)]
    streams = {"e4.ibi": Stream(info, tuple(runs)), "e4.eda": stream("e4.eda", "eda", 4, [(0, 120, None)])}
    summary = summarise(Recording("P", streams))
    assert len(summary.gaps) == 8
    assert summary.sampled_gaps == ()
    text = visible(html(summary))
    assert "from 2 streams, no gap." in text
    assert "No gap in any sampled stream." in text
    assert "e4.ibi: 8 gaps" in text
