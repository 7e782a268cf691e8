"""Features over several lengths of window that end at the same moment: each as if it had been asked for alone."""

from dataclasses import replace

import numpy as np
import pytest

from feltsense import features
from feltsense.batch import Batch
from feltsense.core.event import Event, EventKind
from feltsense.core.timeline import NS
from feltsense.core.vector import Reason
from feltsense.datasets.synthetic import participant
from feltsense.errors import InputError, UnknownNameError
from feltsense.session import Pipeline, extract
from feltsense.testing.strategies import rechunk, with_gap, with_values

WINDOW, SHORT, HOP = 60.0, 30.0, 10.0
PLAIN = ("ecg", "ppg", "eda", "skin_temperature", "motion")
BOTH = (*PLAIN, "ppg@30s", "eda@30s", "ecg@30s", "motion@7s")


@pytest.fixture(scope="module")
def eventful():
    """Gaps, a run of NaN, and a board that stalled."""
    hurt = with_gap(participant(seed=4, minutes=6.0), "h10.ecg", 100.0, 100.6)
    for stream in ("board.ppg", "board.eda", "board.temp", "board.acc"):
        hurt = with_gap(hurt, stream, 150.0, 190.0)
    hurt = with_values(hurt, "board.eda", 240.0, 244.0, None)
    boards = [s for s in hurt.streams if s.startswith("board.")]
    stalls = [Event(hurt.start_ns + 150 * NS, EventKind.STALLED, text=s) for s in boards]
    return replace(hurt, events=(*hurt.events, *stalls))


@pytest.fixture(scope="module")
def found(eventful):
    return list(extract(eventful, window=WINDOW, hop=HOP, modalities=BOTH))


def part(vector, modality):
    """A modality's values, reasons and quality, by the features' own names."""
    s = vector.schema
    mine = [i for i, m in enumerate(s.owner) if m == modality]
    k = s.modalities.index(modality)
    named = {s.specs[i].name: (vector.values[i].tobytes(), vector.reasons[i]) for i in mine}
    return named, vector.quality[k], vector.quality_reasons[k]


def test_the_window_itself_is_as_it_is_without_others(eventful, found):
    alone = list(extract(eventful, window=WINDOW, hop=HOP, modalities=PLAIN))
    assert [w for w, _ in alone] == [w for w, _ in found]
    assert all(part(a, m) == part(b, m) for (_, a), (_, b) in zip(alone, found, strict=True) for m in PLAIN)


@pytest.mark.parametrize(("modality", "seconds"), [("ppg", 30.0), ("eda", 30.0), ("ecg", 30.0), ("motion", 7.0)])
def test_a_shorter_one_is_as_in_a_session_of_its_own(eventful, found, modality, seconds):
    pipeline = Pipeline(
        eventful.infos(), window=seconds, hop=1.0, modalities=[modality], start_ns=eventful.start_ns
    )
    alone = {w.stop_ns: v for item in eventful.items() for w, v in pipeline.push(item)}
    alone |= {w.stop_ns: v for w, v in pipeline.finish()}
    for window, vector in found:
        assert part(vector, f"{modality}@{seconds:g}s") == part(alone[window.stop_ns], modality)


def test_shortness_has_its_own_reasons(found):
    needs = {s.name: s.min_seconds for s in features.extractor("ecg").specs}
    long = [n for n, s in needs.items() if SHORT < s <= WINDOW]
    assert long
    for _, vector in found:
        assert all(vector.reason(f"ecg@30s.{n}") is Reason.TOO_SHORT for n in long)
        assert not any(vector.reason(f"ecg.{n}") is Reason.TOO_SHORT for n in long)
    assert any(v["quality.ppg"] != v["quality.ppg@30s"] for _, v in found)


@pytest.mark.parametrize("cut", [{"seed": 1}, {"sizes": (1, 50, 3)}], ids=str)
def test_the_cut_does_not_matter(eventful, found, cut):
    again = list(extract(eventful, window=WINDOW, hop=HOP, modalities=BOTH, items=rechunk(eventful, **cut)))
    assert [w for w, _ in again] == [w for w, _ in found]
    assert all(part(a, m) == part(b, m) for (_, a), (_, b) in zip(again, found, strict=True) for m in BOTH)


def test_batch_gives_the_same_bits(eventful, found):
    table = list(Batch(eventful, modalities=BOTH).table(window=WINDOW, hop=HOP))
    assert [w for w, _ in table] == [w for w, _ in found]
    assert all(part(a, m) == part(b, m) for (_, a), (_, b) in zip(table, found, strict=True) for m in BOTH)


def test_signals_are_taken_in_once(eventful, monkeypatch):
    taken = []
    cls = features.extractor("eda")
    push = cls.push
    monkeypatch.setattr(cls, "push", lambda self, chunk: taken.append(len(chunk)) or push(self, chunk))
    list(extract(eventful, window=WINDOW, hop=HOP, modalities=["eda", "eda@30s", "eda@20s"]))
    once = sum(taken)
    taken.clear()
    list(extract(eventful, window=WINDOW, hop=HOP, modalities=["eda"]))
    assert once == sum(taken) > 0


def test_what_has_no_stream_is_missing(eventful):
    _, vector = next(extract(eventful, window=WINDOW, hop=HOP, modalities=["eda", "face@30s"]))
    assert np.isnan([vector[n] for n in vector.schema.names if n.startswith("face@30s.")]).all()
    assert vector["quality.face@30s"] == 0.0
    assert vector.quality_reasons[1] is Reason.NO_SIGNAL


@pytest.mark.parametrize(
    ("modality", "problem"), [("eda@90s", "longer than the window of 60 s"), ("eda@", "written like eda@30s")]
)
def test_lengths_that_do_not_fit(eventful, modality, problem):
    with pytest.raises(InputError, match=problem):
        Pipeline(eventful.infos(), window=WINDOW, hop=HOP, modalities=["eda", modality])
    with pytest.raises(InputError, match=problem):
        Batch(eventful, modalities=["eda", modality]).table(window=WINDOW, hop=HOP)


def test_an_unknown_modality_over_a_length(eventful):
    with pytest.raises(UnknownNameError, match="edaa"):
        Pipeline(eventful.infos(), window=WINDOW, hop=HOP, modalities=["edaa@30s"])
