"""Drift: planted shifts are found, and none where there is none."""

import math

import numpy as np
import pytest

from feltsense import bundle
from feltsense.cli import main
from feltsense.core.profile import UserProfile
from feltsense.errors import ProfileError
from feltsense.fusion.adaptive import Adaptive
from feltsense.fusion.drift import CELLS, SMIRNOV, drift, since

NAMES = [f"x{j}" for j in range(10)]
TRAINED = np.random.default_rng(1).normal(size=(4000, 10))
LINE = Adaptive.fit(TRAINED, 600.0, 30.0)


def seen(z):
    return LINE.named(NAMES, LINE.count(z, 60_000))


def draw(seed, n=120, shift=0.0, wide=1.0):
    return np.random.default_rng(seed).normal(shift, wide, (n, 10))


def test_the_measures_are_those_of_the_formulas():
    z = draw(2)
    found = drift(LINE, NAMES, seen(z), 60.0)
    # Cells of equal training mass, counted from the values and not from the histogram.
    for j, i in enumerate(found.inputs):
        inner = np.quantile(TRAINED[:, j], np.arange(1, CELLS) / CELLS)
        counts = np.bincount(np.searchsorted(inner, z[:, j], side="right"), minlength=CELLS)
        a, e = (counts + 0.5) / (120 + CELLS / 2), np.full(CELLS, 1 / CELLS)
        assert i.psi == pytest.approx(sum((x - y) * math.log(x / y) for x, y in zip(a, e, strict=True)))
        assert i.ks == pytest.approx(np.abs(np.cumsum(counts) / 120 - np.cumsum(e)).max())
        assert i.windows == pytest.approx(120)
    assert pytest.approx(math.sqrt(-math.log(0.0005) / 2), abs=0.001) == SMIRNOV


@pytest.mark.parametrize("reference", [False, True])
def test_without_a_shift_hardly_an_input_and_never_the_whole(reference):
    judged = drifted = 0
    for seed in range(60):
        found = drift(LINE, NAMES, seen(draw(100 + seed)), 60.0, seen(draw(500 + seed)) if reference else None)
        assert not found.drifted
        assert found.text.startswith("no drift")
        judged += len(found.inputs)
        drifted += sum(i.drifted for i in found.inputs)
    assert judged == 600
    assert drifted <= 4


@pytest.mark.parametrize("planted", [{"shift": 1.0}, {"shift": -1.0}, {"wide": 4.0}, {"shift": 9.0}])
@pytest.mark.parametrize("reference", [False, True])
def test_a_planted_shift_is_found_and_calibrating_again_is_offered(planted, reference):
    found = drift(LINE, NAMES, seen(draw(3, 240, **planted)), 60.0, seen(draw(4, 240)) if reference else None)
    assert found.share >= 0.9
    assert found.drifted
    assert "feltsense calibrate RECORDING --rest START END" in found.text


def test_a_shift_of_two_inputs_is_told_and_is_not_the_whole():
    z = draw(5)
    z[:, :2] += 2.0
    found = drift(LINE, NAMES, seen(z), 60.0)
    assert [i.name for i in found.inputs if i.drifted] == ["x0", "x1"]
    assert not found.drifted
    assert found.text == "no drift of the whole: 2 of 10 inputs have drifted"


def test_too_little_time_and_missing_inputs_are_not_judged():
    z = draw(6, shift=3.0)
    z[:, 4] = np.nan
    assert drift(LINE, NAMES, seen(z), 60.0).unjudged == ("x4",)
    for short in (drift(LINE, NAMES, seen(z[:29]), 60.0), drift(LINE, NAMES, seen(z), 60.0, seen(z[:29]))):
        assert short.inputs == ()
        assert math.isnan(short.share)
        assert not short.drifted
        assert short.text.startswith("too little")


def test_the_hop_does_not_matter():
    z = draw(7)
    dense = LINE.named(NAMES, LINE.count(np.repeat(z, 12, axis=0), 5_000))
    assert drift(LINE, NAMES, dense, 60.0) == drift(LINE, NAMES, seen(z), 60.0)


def test_since_is_what_came_in_between():
    a, b = seen(draw(8)), seen(draw(9))
    both = UserProfile("P").saw(a, LINE.digest).saw(b, LINE.digest)
    assert {n: tuple(c) for n, c in since(both.seen, a).items()} == b
    with pytest.raises(ProfileError, match="has 2 bins and the model's 48"):
        drift(LINE, NAMES, {"x0": (1, 2)}, 60.0)
    with pytest.raises(ProfileError, match="the later one first"):
        since(a, {"x0": (0, 0)})
    with pytest.raises(ProfileError, match="the later one first"):
        since(a, both.seen)


def test_the_command(tmp_path, capsys):
    model = bundle.load(None, runner="numpy").model
    first, then, bare = tmp_path / "first.json", tmp_path / "then.json", tmp_path / "bare.json"
    edges = model.adaptive.edges
    inner = np.linspace(8, 39, 64).astype(int)
    middle = (edges[:, inner] + edges[:, inner + 1]).T / 2
    calm = model.adaptive.named(model.inputs, model.adaptive.count(middle, 60_000))
    moved = model.adaptive.named(model.inputs, model.adaptive.count(np.maximum(middle, edges[:, 36] + 1e-9), 60_000))
    p = UserProfile("P", window_s=60.0)
    p.save(bare)
    p.saw(calm, model.adaptive.digest).save(first)
    p.saw(calm, model.adaptive.digest).saw(moved, model.adaptive.digest).save(then)
    assert main(["drift", str(first)]) == 0
    assert f"no drift of the whole: 0 of {len(model.inputs)}" in capsys.readouterr().out
    assert main(["drift", str(then), "--since", str(first)]) == 0
    assert "feltsense calibrate" in capsys.readouterr().out
    assert main(["drift", str(bare)]) == 2
    assert "has seen nothing yet" in capsys.readouterr().err
    assert main(["drift", str(first), "--since", str(then)]) == 2
    assert "the later one first" in capsys.readouterr().err
