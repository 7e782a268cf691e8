"""Made-up people for what several modalities know only together, or share."""

import numpy as np

from feltsense import features
from feltsense.core.vector import FeatureSchema
from feltsense.train.examples import Line

HOP, WINDOW = 30.0, 60.0


def person(subject, seed, modalities, state, y, *, noise=1.0, rest=9):
    """A person whose features of modality m are `state[:, m]` standard deviations off; the first windows are rest."""
    rng = np.random.default_rng(seed)
    schema = FeatureSchema([(m, features.extractor(m).specs) for m in modalities])
    owner = np.array([modalities.index(m) for m in schema.owner])
    level = np.abs(rng.normal(30, 3, len(schema.names)))
    x = np.abs(level + rng.normal(0, noise, (len(y), len(owner))) + state[:, owner])
    x[rng.random(x.shape) < 0.02] = np.nan
    return Line(
        subject, f"{subject}.felt", schema, WINDOW + HOP * np.arange(len(y)), x,
        rng.uniform(0.5, 1.0, (len(y), len(modalities))), np.asarray(y, np.int64), np.ones(len(y), bool), level,
        np.full(len(owner), 210.0), ((0.0, 270.0),), 1.7e9, WINDOW,
    )  # fmt: skip


def exclusive_or(n=8, windows=120, effect=3.0):
    """The label is 1 where exactly one of two modalities is moved; each alone knows nothing."""
    out = []
    for i in range(n):
        rng = np.random.default_rng(500 + i)
        moved = rng.integers(0, 2, (windows // 4, 2)).repeat(4, axis=0)
        moved[:9] = 0
        out.append(person(f"P{i}", 900 + i, ("ppg", "eda"), effect * moved, moved[:, 0] ^ moved[:, 1]))
    return out


SIX = ("ppg", "eda", "respiration", "ecg", "thermal_array", "environment")
"""Names of six modalities for the cohort below; small ones, so that tests are fast."""


def six(n=8, windows=100, strength=0.9):
    """People whose state moves six modalities alike, each in 70 % of its windows only and with a mood of its own."""
    out = []
    for i in range(n):
        rng = np.random.default_rng(700 + i)
        y = rng.integers(0, 2, windows // 10).repeat(10)
        y[:9] = 0
        moved = strength * y[:, None] * (rng.random((len(y), 6)) < 0.7)
        out.append(person(f"P{i}", 1700 + i, SIX, moved + rng.normal(0, 0.6, moved.shape), y))
    return out


def copies(n=8, windows=100):
    """Exclusive or of two states, of which one is in two modalities: where one of these is missing, the other tells it."""
    out = []
    for i in range(n):
        rng = np.random.default_rng(800 + i)
        moved = rng.integers(0, 2, (windows // 4, 2)).repeat(4, axis=0)
        moved[:9] = 0
        state = np.stack([moved[:, 0], moved[:, 0], moved[:, 1]], axis=1) * np.array([2.0, 1.2, 2.0])
        out.append(person(f"P{i}", 2900 + i, ("ppg", "ecg", "eda"), state, moved[:, 0] ^ moved[:, 1], noise=1.5))
    return out
