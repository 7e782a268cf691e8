"""Responses to markers: found where they were made, told apart from none and from no signal."""

import numpy as np
import pytest

from cardiac_cases import T0, one_stream, recording
from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording
from feltsense.core.vector import Reason
from feltsense.errors import InputError
from feltsense.features.eda import event_responses

RATE, SECONDS = 16, 200


def skin():
    """Responses 2 s after 40 and 90 s, and one nobody asked for at 120 s."""
    t = np.arange(SECONDS * RATE) / RATE
    x = 4.0 + 0.001 * np.random.default_rng(0).standard_normal(len(t))
    for onset, size in ((42.0, 0.4), (92.0, 0.2), (120.0, 0.6)):
        dt = np.maximum(t - onset, 0.0)
        wave = np.exp(-dt / 3.0) - np.exp(-dt / 0.75)
        x += size * wave / wave.max()
    return x


def with_events(x, *seconds, kind=EventKind.MARKER, rate=RATE):
    streams = recording(one_stream("eda", x, rate)).streams
    return Recording("S00", streams, tuple(Event(T0 + int(s * 1e9), kind) for s in seconds))


def test_responses_are_found_where_they_were_made():
    first, second, none = event_responses(with_events(skin(), 40.0, 90.0, 150.0))
    for found, size in ((first, 0.4), (second, 0.2)):
        assert found.reason is Reason.OK
        assert found.latency_s == pytest.approx(2.0, abs=0.4)
        assert found.amplitude_us == pytest.approx(size, rel=0.08)
        assert found.rise_s == pytest.approx(1.4, abs=0.5)
    assert none.reason is Reason.NONE_FOUND
    assert np.isnan([none.latency_s, none.amplitude_us, none.rise_s]).all()


def test_where_nothing_can_be_said_the_reason_is_told():
    x = skin()
    x[41 * RATE : 44 * RATE] = 0.0
    x[90 * RATE : 95 * RATE] = np.nan
    off, missing, after = event_responses(with_events(x, 40.0, 90.0, 500.0))
    assert (off.reason, missing.reason, after.reason) == (Reason.OFF_SKIN, Reason.GAP, Reason.NO_SIGNAL)
    assert np.isnan(off.amplitude_us)


def test_only_events_of_the_kind_count():
    assert event_responses(with_events(skin(), 40.0, kind=EventKind.NOTE)) == ()
    assert len(event_responses(with_events(skin(), 40.0, kind=EventKind.NOTE), EventKind.NOTE)) == 1


def test_what_has_no_eda_is_refused():
    with pytest.raises(InputError, match="no stream of kind eda"):
        event_responses(recording(one_stream("ppg", np.zeros(640), 64)))
    with pytest.raises(InputError, match="4 Hz"):
        event_responses(with_events(np.full(100, 2.0), 40.0, rate=1))
