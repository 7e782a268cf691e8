"""Live sessions without a radio: order of arrival, self-calibration, and what the screen says."""

import io
import math
import random
import re
from dataclasses import replace

import pytest

from feltsense import bundle, session
from feltsense.calibration import calibrate
from feltsense.cli import _live, main
from feltsense.core.chunk import Gap, GapReason
from feltsense.core.event import Event, EventKind
from feltsense.core.prediction import Prediction
from feltsense.core.profile import RestInterval
from feltsense.core.recording import Recording, Segment, Stream
from feltsense.core.timeline import NS, TimeMap
from feltsense.datasets.synthetic import participant
from feltsense.store import write
from feltsense.watch import Calibrating, Holdback, gather

REST_S = 120.0


@pytest.fixture(scope="module")
def model():
    return bundle.load(runner="numpy")


@pytest.fixture(scope="module")
def broken():
    """Five minutes of a wrist and a chest; the wrist is away from 200 s to 213.3 s, and an event says so."""
    whole = participant(4, protocol=[("rest", 150), ("stress", 150)])
    streams, events = {}, list(whole.events)
    for name, stream in whole.streams.items():
        if name not in ("board.ppg", "board.eda", "h10.ecg"):
            continue
        if name == "h10.ecg":
            streams[name] = stream
            continue
        rate = stream.info.spec.hz
        a, b = round(200 * rate), round(213.3 * rate)
        values = stream.segments[0].values
        later = TimeMap.uniform(whole.start_ns + round(b / rate * NS), stream.info.spec.rate)
        first = Segment(values[:a], stream.segments[0].time)
        streams[name] = Stream(stream.info, (first, Segment(values[b:], later, Gap(b - a, b - a, GapReason.DISCONNECT), 1)))
        events.append(Event(first.chunk(stream.info, 0, a).stop_ns, EventKind.STALLED, 0.0, name))
    return Recording("P", streams, tuple(events))


def as_it_arrives(recording, seed, late_s=1.5):
    """Pieces in the order in which a host hears them: frames of different length, each sensor late by its own jitter."""
    rng = random.Random(seed)
    arrivals = []
    for name, stream in recording.streams.items():
        pieces = [*stream.chunks({"board.ppg": 0.5, "board.eda": 0.7, "h10.ecg": 73 / 130}[name])]
        pieces += [e for e in recording.events if e.kind is EventKind.STALLED and e.text == name]
        pieces.sort(key=lambda i: i.t_ns if isinstance(i, Event) else i.start_ns)
        when = 0
        for piece in pieces:
            heard = (piece.t_ns if isinstance(piece, Event) else piece.last_ns) + round(rng.uniform(0, late_s) * NS)
            when = max(when, heard)
            arrivals.append((when, len(arrivals), piece))
    return [piece for _, _, piece in sorted(arrivals)]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_order_of_arrival_the_rows_are_those_of_predict(broken, model, seed):
    live = Calibrating("P", broken.infos(), model, REST_S, 5.0)
    held = Holdback(4.0)
    pieces = as_it_arrives(broken, seed)
    for piece in pieces:
        for due in held.push(piece):
            live.push(due)
            if live.due:
                live.calibrate()
    for due in held.rest():
        live.push(due)
    live.finish()
    recording = gather("P", broken.infos(), pieces)
    rest = [RestInterval(recording.start_ns, recording.start_ns + round(REST_S * NS))]
    assert live.profile == calibrate(recording, rest, model)
    rows = list(session.predict(recording, model, live.profile, 5.0))
    assert len(rows) == len(live.rows) > 40
    for a, b in zip(rows, live.rows, strict=True):
        assert (a.start_ns, a.stop_ns, a.label, a.set, a.abstained, a.reason) == (
            b.start_ns, b.stop_ns, b.label, b.set, b.abstained, b.reason,
        )
        assert dict(a.probabilities) == dict(b.probabilities)
        assert dict(a.logits) == dict(b.logits)
        assert dict(a.contributions) == dict(b.contributions)
        assert a.quality == b.quality


def test_holdback_loses_and_repeats_nothing(broken):
    pieces = as_it_arrives(broken, 9)
    held = Holdback(4.0)
    out = [due for piece in pieces for due in held.push(piece)] + held.rest()
    assert sorted(map(id, out)) == sorted(map(id, pieces))
    assert held.rest() == []


def test_a_session_that_cannot_be_calibrated_goes_on_and_says_why(model):
    ecg = participant(4, protocol=[("rest", 200)]).streams["h10.ecg"]
    recording = Recording("P", {"h10.ecg": ecg})
    live = Calibrating("P", recording.infos(), model, REST_S, 5.0)
    for item in recording.items():
        live.push(item)
        if live.due:
            live.calibrate()
    live.finish()
    assert live.profile is None
    assert "no usable window" in live.failure
    assert all(p.abstained for p in live.rows)
    assert len(live.rows) == 29


def prediction(**changes):
    base = Prediction(
        "stress", 0, 60 * NS, {"rest": 0.2, "stress": 0.8}, "stress", ("stress",), False, "", 0.9,
        {"rest": 0.0, "stress": 1.4}, {"base": 0.1, "ppg": -0.2, "eda": 1.5, "joint": 0.0}, "m",
    )
    return replace(base, **changes)


def test_a_line_says_the_probability_the_decision_and_why():
    text = _live.line(330.0, prediction(), None)
    expected = "5:30 stress 0.80 [################....] stress quality 0.90 evidence eda +1.5, ppg -0.2"
    assert " ".join(text.split()) == expected
    silent = prediction(probabilities={}, label="", set=(), abstained=True, reason="ppg:gap eda:no_signal", contributions={})
    assert "says nothing: pulse: gap, skin conductance: no signal" in _live.line(0.0, silent, None)
    assert "calibration" in _live.line(0.0, prediction(label="", abstained=True, reason="calibration"), None)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_is_redrawn_in_colour_and_a_pipe_is_not(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    pipe, terminal = io.StringIO(), Terminal()
    for out in (pipe, terminal):
        screen = _live.Screen(out, 840.0, "somebody")
        screen.show(60.0, prediction(), None)
        screen.show(65.0, prediction(), None)
        screen.say("a note")
        screen.close()
    assert "\x1b" not in pipe.getvalue()
    assert pipe.getvalue().count("\n") == 3
    assert "\x1b[6A\x1b[J" in terminal.getvalue()
    assert "\x1b[1;33m" in terminal.getvalue()
    assert "0.80 [################....] stress" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    _live.Screen(plain, 840.0, "somebody").show(60.0, prediction(), None)
    assert not re.search(r"\x1b\[[0-9;]*m", plain.getvalue())


def test_panel_stays_within_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    _live.Screen(out, 840.0, "x" * 200).show(60.0, prediction(), None)
    assert max(map(len, out.getvalue().splitlines())) <= 39


def test_no_probability_is_a_dash_not_a_zero():
    assert _live.bar(math.nan).strip("[] ") == ""
    assert math.isnan(_live.probability(prediction(probabilities={})))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "P.felt"
    whole = participant(4, protocol=[("rest", 200)])
    streams = {k: s for k, s in whole.streams.items() if k in ("board.ppg", "board.eda")}
    write(path, Recording("P", streams, whole.events))
    return path


def test_replay_shows_what_predict_gives(file, model, capsys):
    assert main(["replay", str(file), "--speed", "0", "--hop", "10"]) == 0
    shown = re.findall(r"stress (\d\.\d\d) ", capsys.readouterr().out)
    from feltsense.store import read

    rows = session.predict(read(file), bundle.load(), None, 10.0)
    assert shown == [f"{p.probabilities['stress']:.2f}" for p in rows if p.probabilities]
    assert len(shown) == 15


def test_replay_refuses_a_negative_speed(file, capsys):
    assert main(["replay", str(file), "--speed", "-1"]) == 2
    assert "--speed" in capsys.readouterr().err


def test_report_is_written_and_says_whom_to_ask(file, tmp_path, capsys):
    out = tmp_path / "r.html"
    assert main(["report", str(file), "--out", str(out), "--contact", "Room <12>"]) == 0
    page = out.read_text(encoding="utf-8")
    assert "Room &lt;12&gt;" in page
    assert "Estimate: stress" in page
    assert "Not calibrated" in page
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize("name", ["r.docx", "r"])
def test_other_endings_name_what_exists(file, tmp_path, capsys, name):
    assert main(["report", str(file), "--out", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert ".html" in error
    assert error.count("\n") == 1
    assert not (tmp_path / name).exists()


def test_simulate_writes_a_recording_and_says_what_next(tmp_path, capsys):
    out = tmp_path / "S.felt"
    assert main(["simulate", "--out", str(out), "--minutes", "7", "--seed", "5"]) == 0
    text = capsys.readouterr().out
    assert "does not exist" in text
    assert f"feltsense calibrate {out} --rest 0 270" in text
    from feltsense.store import read

    assert read(out).account() == participant(5, 7).account()
    assert main(["simulate", "--out", str(out)]) == 2
    assert "already exists" in capsys.readouterr().err
    assert main(["simulate", "--out", str(tmp_path / "x.felt"), "--minutes", "1"]) == 2
