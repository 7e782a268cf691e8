"""Lines of made-up windows, for tests of training and evaluation that need no signals."""

import numpy as np

from feltsense import features
from feltsense.core.vector import FeatureSchema
from feltsense.train.examples import Line
from feltsense.train.splits import Cohort

MODALITIES = ("ppg", "eda")
HOP, WINDOW = 30.0, 60.0


def schema():
    return FeatureSchema([(m, features.extractor(m).specs) for m in MODALITIES])


def line(subject, seed, *, effect=1.5, windows=60, classes=2, clock=0.0):
    """A person with an own level, whose stressed windows are `effect` standard deviations off.

    `clock`: how much every feature drifts over the recording.
    """
    rng = np.random.default_rng(seed)
    names = schema().names
    level = np.abs(rng.normal(10, 4, len(names)))
    phase = (np.arange(windows) // 10) % classes
    drift = clock * np.arange(windows) / windows
    moved = (effect * (phase > 0) + drift)[:, None]
    x = np.abs(level + rng.normal(0, 1, (windows, len(names))) + moved)
    x[rng.random(x.shape) < 0.05] = np.nan
    quality = rng.uniform(0.3, 1.0, (windows, len(MODALITIES)))
    y = phase.copy()
    y[9::10] = -1
    return Line(
        subject, f"{subject}.felt", schema(), WINDOW + HOP * np.arange(windows), x, quality, y.astype(np.int64),
        np.ones(windows, bool), level, np.full(len(names), 210.0), ((0.0, 270.0),), 1.7e9, WINDOW,
    )


def cohort(n=5, **options):
    return Cohort(people(n, **options), "made up")


def people(n=5, **options):
    return [line(f"P{i}", 100 + i, **options) for i in range(n)]
