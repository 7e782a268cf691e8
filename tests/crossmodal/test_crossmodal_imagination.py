"""Imagination is used where people gain from it over leaving a modality out, and nowhere else."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from crossmodal_cohorts import copies
from feltsense.crossmodal.attention import imagine, start
from feltsense.train import joint
from feltsense.train.fit import fit
from feltsense.train.splits import Cohort, everyone
from feltsense.train.targets import Target

NAMES = ("ppg", "ecg", "eda")
BOTH = Target("odd", ("rest", "one"), "one", NAMES, half_lives=(0.0,), joint="mean")


@dataclass(frozen=True)
class Listens:
    """Knows the exclusive or of pulse and skin; hears the ECG, which beats as the pulse does, only to imagine the pulse."""

    owner: np.ndarray
    imagines: np.ndarray

    def tokens(self, score):
        return np.stack([np.nanmean(np.nan_to_num(score[:, self.owner == m]), axis=1) for m in range(3)], axis=1)[..., None]

    def look(self, token, gate, tokens, gates):
        there = gate > 0
        imagined = ~there & self.imagines & there.any(axis=1)[:, None]
        pulse = np.where(there[:, 0], token[:, 0, 0], np.where(imagined[:, 0], token[:, 1, 0], 0.0))
        skin = np.where(there[:, 2], token[:, 2, 0], 0.0)
        return -4.0 * (np.tanh(3 * pulse) * np.tanh(3 * skin))[:, None], None, imagined

    def shrink(self, present):
        return np.maximum(present.sum(axis=1) - 1.0, 0.0) / 2.0


def test_a_modality_that_another_tells_is_imagined_and_one_that_nobody_tells_is_not(monkeypatch):
    def ready(seen, *_, **__):
        return Listens(seen.owner, np.zeros(3, bool))

    monkeypatch.setattr(joint, "fit_network", ready)
    model = fit(everyone(Cohort(copies(4, 60))), BOTH).model
    notes = model.training["joint"]
    assert notes["kept"]
    assert notes["imagined"]["ppg"]["low"] > 0.0
    assert notes["imagined"]["ecg"]["mean"] == 0.0
    assert notes["imagined"]["eda"]["mean"] == 0.0
    assert model.imagines == ("ppg",)
    # Nobody knows the skin: taken away, the product is 0, imagined or not.
    assert replace(model, joint=None).imagines == ()


@pytest.mark.parametrize("gone", [0, 1])
def test_what_is_imagined_depends_on_who_is_there_alone(gone):
    rng = np.random.default_rng(0)
    w = start(6, 3, 2, rng)
    token, gate = rng.normal(0, 1, (8, 3, 24)), np.ones((8, 3))
    gate[:, gone] = 0.0
    other = np.array(token)
    other[:, gone] = 1e6
    np.testing.assert_array_equal(imagine(w, token, gate), imagine(w, other, gate))
