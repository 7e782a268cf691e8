"""Blendshapes of a face: checked on the way in, features and events with a known truth, missing where they are not there."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feltsense import extract
from feltsense.core.blendshapes import MUSCLES, PAIRED, SHAPES, coefficients
from feltsense.core.event import EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.core.vector import Reason
from feltsense.errors import InputError
from feltsense.features.expression import Expression
from feltsense.testing import check_extractor
from feltsense.vision import BlendshapeReader, ExpressionFinder, blendshape_stream

FPS = 30
AT = {name: i for i, name in enumerate(SHAPES)}


def course(seconds, seed=0):
    """A face at rest that blinks every 4 s for 0.2 s and smiles at 12 s, the left a little more."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * FPS)) / FPS
    x = np.clip(0.1 + 0.004 * rng.standard_normal((len(t), len(SHAPES))), 0, 1)
    blink = np.clip(1.0 - np.abs((t - 2.0) % 4.0 - 0.2) / 0.2, 0.0, 1.0)
    smile = 0.6 * np.exp(-0.5 * ((t - 12.0) / 0.3) ** 2)
    for side, more in (("Left", 0.1), ("Right", 0.0)):
        x[:, AT[f"eyeBlink{side}"]] = 0.05 + 0.95 * blink
        x[:, AT[f"mouthSmile{side}"]] += smile + more
        x[:, AT[f"cheekSquint{side}"]] += 0.5 * smile
    return x


def play(rows):
    """Recording of frames, None where there is no face; and the chunks."""
    reader = BlendshapeReader(blendshape_stream(FPS))
    chunks = [reader.push(r, round(k * 1e9 / FPS)) for k, r in enumerate(rows)]
    return Recording("p", {reader.info.id: Stream.from_chunks(reader.info, chunks)}), chunks


def window(rows):
    recording, chunks = play(rows)
    length = Fraction(len(rows), FPS)
    ((_, v),) = extract(recording, window=float(length), hop=float(length))
    return v, chunks


def test_keeps_the_contract():
    check_extractor(Expression, play(course(40))[0], window=15.0, hop=5.0)


def test_the_names_are_arkits():
    assert len(SHAPES) == len(set(SHAPES)) == 52
    assert sorted(c for columns in MUSCLES.values() for c in columns) == list(range(52))
    assert all(SHAPES[a].removesuffix("Left") == SHAPES[b].removesuffix("Right") for a, b in PAIRED)
    assert len(PAIRED) == 18


def test_a_window_has_the_measures_of_its_course():
    x = course(40)
    v, _ = window(x)
    assert v["expression.mouth_smile_mean"] == pytest.approx(x[:, [AT["mouthSmileLeft"], AT["mouthSmileRight"]]].mean())
    assert v["expression.blink_rate"] == pytest.approx(15.0, rel=0.01)
    assert v["expression.blink_dur_ms"] == pytest.approx(200.0, rel=0.1)
    assert v["expression.perclos"] < 0.05
    assert v["expression.asymmetry"] == pytest.approx(np.mean([np.abs(x[:, a] - x[:, b]).mean() for a, b in PAIRED]))
    assert v["expression.activity"] == pytest.approx(np.abs(np.diff(x, axis=0)).mean() * FPS, rel=1e-6)
    smile, cheek = (x[:, list(MUSCLES[name])].mean(axis=1) for name in ("mouth_smile", "cheek_squint"))
    assert v["expression.smile_eyes"] == pytest.approx(np.minimum(smile, cheek).mean())
    assert v["expression.short_rate"] == pytest.approx(60 * 2 / 40, rel=0.01), "mouth and cheeks"
    assert v["quality.expression"] == v["expression.present_frac"] == 1.0
    assert np.isfinite(v.values).all()


def test_a_smile_is_an_event_with_onset_apex_and_end():
    _, chunks = window(course(20))
    finder = ExpressionFinder()
    events = [e for c in chunks for e in finder.push(c)]
    smile = [e for e in events if e.text.startswith("mouth_smile")]
    assert [e.text for e in smile] == ["mouth_smile onset", "mouth_smile apex", "mouth_smile end"]
    assert {e.text.split()[0] for e in events} == {"mouth_smile", "cheek_squint"}
    assert all(e.kind is EventKind.EXPRESSION for e in events)
    onset, apex, end = (e.t_ns / 1e9 for e in smile)
    assert apex == pytest.approx(12.0, abs=0.05)
    assert 11.0 < onset < 11.8
    assert 12.2 < end < 13.0


def test_a_shape_that_nobody_delivers_is_missing_and_the_others_are_there():
    """MediaPipe has no tongue, and a ``_neutral`` of its own."""
    rows = [dict(zip(SHAPES, r.tolist(), strict=True)) | {"_neutral": 0.3} for r in course(31)]
    for r in rows:
        del r["tongueOut"], r["cheekSquintLeft"]
    v, _ = window(rows)
    for name in ("tongue_out_mean", "cheek_squint_sd", "smile_eyes"):
        assert np.isnan(v[f"expression.{name}"])
        assert v.reason(f"expression.{name}") is Reason.NOT_SUPPORTED
    for name in ("mouth_smile_mean", "asymmetry", "activity", "blink_rate"):
        assert np.isfinite(v[f"expression.{name}"])
    assert v["quality.expression"] == 1.0


def test_no_face_and_a_gap_are_said():
    rows = [*course(10), *[None] * (20 * FPS)]
    v, _ = window(rows)
    assert v["quality.expression"] == pytest.approx(1 / 3, abs=0.01)
    assert v.quality_reasons[0] is Reason.NO_FACE
    nothing, _ = window([None] * (12 * FPS))
    assert nothing.reason("expression.mouth_smile_mean") is Reason.NO_FACE
    reader = BlendshapeReader(blendshape_stream(FPS))
    first, second = reader.push(course(1)[0], 0), reader.push(course(1)[1], 10**9)
    assert (first.segment, second.segment, second.gap.samples) == (0, 1, 29)


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        ({"mouthSmileLeftt": 0.1}, "did you mean 'mouthSmileLeft'"),
        ({"smile": 0.1, "jawOpen": 0.2}, "none of the 52"),
        ({}, "give None for a frame without a face"),
        ({"jawOpen": 1.2}, "jawOpen is 1.2; coefficients are numbers from 0 to 1"),
        ({"jawOpen": float("nan")}, "jawOpen is nan"),
        ({"jawOpen": "wide"}, "jawOpen is 'wide'"),
        (np.zeros(51), "give 52 numbers"),
        (np.full(52, -0.5), "eyeBlinkLeft is -0.5"),
    ],
)
def test_what_are_no_blendshapes(shapes, sentence):
    with pytest.raises(InputError, match=sentence):
        coefficients(shapes)


def test_time_runs_forward_and_the_stream_is_of_its_kind():
    reader = BlendshapeReader(blendshape_stream(FPS))
    reader.push(None, 10)
    with pytest.raises(InputError, match="in order of time"):
        reader.push(None, 10)
    from feltsense.vision import camera_stream

    with pytest.raises(InputError, match=r"blendshape_stream\(\)"):
        BlendshapeReader(camera_stream(FPS))


NAMES = st.one_of(st.sampled_from(SHAPES), st.text(max_size=8))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, st.one_of(st.floats(), st.text(), st.none())))
def test_anything_is_a_row_or_one_sentence(shapes):
    try:
        row = coefficients(shapes)
    except InputError:
        return
    assert row.shape == (52,)
    assert np.nanmin(row) >= 0.0
    assert np.nanmax(row) <= 1.0
