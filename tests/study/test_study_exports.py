"""A sealed export opens with the study's private key only; a de-identified recording tells nobody's name or date."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feltsense
from feltsense.core.chunk import StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.signals import spec
from feltsense.core.timeline import NS
from feltsense.errors import StudyError
from feltsense.study import deidentify, new_study_key, open_export, seal_export
from same_recording import T0, assert_same, infos, live_chunks

PRIVATE, PUBLIC = new_study_key()


def recording():
    rng = np.random.default_rng(1)
    device = StreamInfo("h10-0A1B2C3D.acc", spec("acc", 50), "Polar H10 0A1B2C3D")
    streams = {i.id: Stream.from_chunks(i, live_chunks(i, rng)) for i in (*infos(), device)}
    events = (
        Event(T0, EventKind.LABEL, 60.0, "stress"),
        Event(T0 + 1, EventKind.NOTE, 0.0, "call with Dr. Miller"),
        Event(T0 + 2, EventKind.CONNECTED, 0.0, "Polar H10 0A1B2C3D"),
        Event(T0 + 3, EventKind.CONSENT, 0.0, '{"signature": "Alice Example"}'),
        Event(T0 + 4, EventKind.MARKER, 2.0, "argument with Bob"),
        Event(T0 + 5, EventKind.STALLED, 0.0, "h10-0A1B2C3D.acc"),
    )
    about = {"source": "Empatica E4", "sensor.1": "Polar H10 0A1B2C3D", "city": "Bonn", "firmware": "3.1.1"}
    return Recording("alice-example", streams, events, about)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "P.sealed.zip"
    seal_export(recording(), path, PUBLIC)
    return path


def test_the_study_opens_it(export, tmp_path):
    assert_same(open_export(export, PRIVATE), recording())
    raw = export.read_bytes()
    feltsense.write(tmp_path / "plain.felt", recording())
    # Long enough that none of them is in sealed bytes by chance.
    for word in (b"alice-example", b"Polar H10", b"argument with Bob", b"h10-0A1B2C3D.acc", b"Empatica E4"):
        assert word in (tmp_path / "plain.felt").read_bytes(), "the search itself would find it"
        assert word not in raw
    assert [p.name for p in export.parent.iterdir()] == [export.name], "nothing plain is left beside it"
    with pytest.raises(StudyError, match="not overwritten"):
        seal_export(recording(), export, PUBLIC)


def test_nobody_else_does(export, tmp_path):
    other, _ = new_study_key()
    with pytest.raises(StudyError, match="sealed to another key"):
        open_export(export, other)
    for key in ("", "AAAA", PRIVATE[:-3] + "!!!"):
        with pytest.raises(StudyError, match="no X25519 key"):
            open_export(export, key)
    with pytest.raises(StudyError, match="public key"):
        seal_export(recording(), tmp_path / "x.zip", "AAAA")
    assert not list(tmp_path.iterdir())


@settings(max_examples=100)
@given(st.integers(0, 10**7), st.integers(1, 255))
def test_a_changed_export_is_refused_or_the_same(export, tmp_path_factory, at, flip):
    raw = bytearray(export.read_bytes())
    raw[at % len(raw)] ^= flip
    path = tmp_path_factory.mktemp("changed") / "x.zip"
    path.write_bytes(raw)
    try:
        back = open_export(path, PRIVATE)
    except StudyError as e:
        assert str(path) in str(e)  # noqa: PT017
    else:
        assert_same(back, recording())


def test_other_zips(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("../evil", "x")
    with pytest.raises(StudyError, match="no sealed export"):
        open_export(path, PRIVATE)
    path.write_bytes(b"PK")
    with pytest.raises(StudyError, match="damaged"):
        open_export(path, PRIVATE)


def test_de_identified():
    before = recording()
    after = deidentify(before, "X7", -700)
    assert after.subject == "X7"
    told = (
        repr([(s.info.id, s.info.device) for s in after.streams.values()]) + repr(after.events) + repr(dict(after.metadata))
    )
    for word in ("alice", "Alice", "Miller", "Bob", "0A1B2C3D", "Bonn", "signature"):
        assert word not in told
    assert "Polar H10" in told
    by = -700 * 86_400 * NS
    for old, new in zip(before.streams.values(), after.streams.values(), strict=True):
        for s, t in zip(old.segments, new.segments, strict=True):
            assert s.values.tobytes() == t.values.tobytes()
            n = len(s.values)
            np.testing.assert_array_equal(s.time.times(0, n) + by, t.time.times(0, n))
            np.testing.assert_array_equal(np.diff(s.time.device_times(0, n)), np.diff(t.time.device_times(0, n)))
            assert (s.time.device_ns + by == t.time.device_ns).all()
    assert [e.kind for e in after.events] == [EventKind.LABEL, EventKind.CONNECTED, EventKind.MARKER, EventKind.STALLED]
    assert after.events[0] == Event(T0 + by, EventKind.LABEL, 60.0, "stress")
    for shift, name in ((0, "X"), (5, "alice-example")):
        with pytest.raises(StudyError):
            deidentify(before, name, shift)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Polar H10 0A1B2C3D", "Polar H10"),
        ("Polar Verity Sense A1B2C3D4", "Polar Verity Sense"),
        ("Empatica E4 A00F42", "Empatica E4"),
        ("EC:2E:98:12:34:56", ""),
        ("Movesense 174630000192", "Movesense"),
        ("Polar 360", "Polar 360"),
        ("h10.ecg", "h10.ecg"),
    ],
)
def test_serial_numbers(text, kept):
    from feltsense.study.deidentify import _clean

    assert _clean(text) == kept
