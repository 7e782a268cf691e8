"""Random but fitted models of both kinds of experts, for tests of the bundle."""

import lightgbm
import numpy as np

from feltsense.bundle.schema import Feature, Member, Model
from feltsense.crossmodal.attention import Attention, start
from feltsense.crossmodal.joint import Joint
from feltsense.experts.linear import Linear
from feltsense.experts.neural import Neural
from feltsense.experts.trees import Trees
from feltsense.fusion.adaptive import Adaptive
from feltsense.fusion.inputs import Normaliser
from feltsense.fusion.late import Fusion

FEATURES = ("ppg.hr", "ppg.rmssd", "ppg.sdnn", "eda.scl", "eda.slope", "eda.scr")


def booster(z, y, classes, rounds=12, **extra):
    goal = {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
    fixed = {"num_leaves": 6, "min_data_in_leaf": 10, "verbosity": -1, "num_threads": 1, "deterministic": True}
    params = goal | fixed | extra
    return lightgbm.train(params, lightgbm.Dataset(z.astype(np.float32).astype(float), y), rounds)


def make(seed=0, classes=("rest", "stress"), kinds=("linear", "trees", "neural"), rescale=1.0, training=None, **extra):
    """A model and its training stack."""
    rng = np.random.default_rng(seed)
    k = len(classes)
    normaliser = Normaliser(
        np.array([np.nan, 1.0, 1.0, 0.05, np.nan, 0.5]),
        np.array([0, 1, 2, 1, 3, 4, 5]),
        np.array([-1, -1, -1, 2, -1, -1, -1]),
        rng.normal(0, 1, 7),
        rng.uniform(0.5, 2, 7),
        rng.uniform(0, 2, 7),
        60.0,
    )
    adaptive = Adaptive.fit(rng.normal(0, 1.2, (400, 7)), 600.0, 30.0)
    n = 600
    z = rng.normal(0, 1.5, (n, 7))
    z[rng.random(z.shape) < 0.15] = np.nan
    y = rng.integers(0, k, n)
    members, stack = [], []
    for modality, columns in (("ppg", np.arange(4)), ("eda", np.arange(4, 7))):
        for kind in kinds:
            part = z[:, columns]
            if kind == "linear":
                expert = Linear.fit(part, y, k, 0.3)
                stack.append(expert.margins)
            elif kind == "neural":
                expert = Neural.fit(part, y, np.ones(n), 3.0, seed)
                stack.append(expert.margins)
            else:
                boosted = booster(part, y, k, **extra)
                expert = Trees.from_booster(boosted)
                stack.append(lambda z, b=boosted: relative(b, z))
            members.append(Member(modality, columns, expert))
    which = np.array([0 if m.modality == "ppg" else 1 for m in members])
    fusion = Fusion(
        which, rng.uniform(0.2, 1.5, len(members)), rng.normal(0, 0.3, k - 1), np.array([0.4, 0.6]),
        np.array([2.0, 1.0]), rescale, 0.1, 0.5,
    )
    model = Model(
        "stress", tuple(classes), classes[-1], ("ppg", "eda"), tuple(Feature(f, "1", 10.0) for f in FEATURES),
        tuple(f"in{i}" for i in range(7)), normaliser, adaptive, tuple(members), fusion, 0.15, 0.2, 60.0, 30.0,
        training or {"data": "random"},
    )
    return model, stack


def relative(boosted, z):
    raw = boosted.predict(z.astype(np.float32).astype(float), raw_score=True)
    return raw[:, None] if raw.ndim == 1 else raw[:, 1:] - raw[:, :1]


def six_modalities(seed=0, features=13):
    """A model as large as training makes them: six modalities with three experts each, and a joint part that imagines."""
    rng = np.random.default_rng(seed)
    modalities = tuple("abcdef")
    names = tuple(f"{m}.f{i}" for m in modalities for i in range(features))
    width = len(names)
    owner = np.repeat(np.arange(6), features)
    z, y = rng.normal(0, 1.5, (900, width)), rng.integers(0, 2, 900)
    z[rng.random(z.shape) < 0.1] = np.nan
    members, stack, which = [], [], []
    for m, modality in enumerate(modalities):
        columns = np.flatnonzero(owner == m)
        boosted = booster(z[:, columns], y, 2, rounds=80)
        linear, neural = Linear.fit(z[:, columns], y, 2, 0.3), Neural.fit(z[:, columns], y, np.ones(900), 3.0, seed)
        for expert, library in (
            (linear, linear.margins), (neural, neural.margins),
            (Trees.from_booster(boosted), lambda new, b=boosted: relative(b, new)),
        ):  # fmt: skip
            members.append(Member(modality, columns, expert))
            stack.append(library)
            which.append(m)
    fusion = Fusion(
        np.array(which), rng.uniform(0.2, 1.0, len(members)), np.array([0.1]), np.full(6, 1 / 6), np.full(6, 4.0),
        0.5, 0.05, 0.3,
    )
    weights = {k: v + rng.normal(0, 0.1, v.shape) for k, v in start(width, 6, 2, rng).items()}
    joint = Joint(Attention(owner, weights, "mean", np.ones(6, bool)), 0.7)
    normaliser = Normaliser(
        np.full(width, np.nan), np.arange(width), np.full(width, -1), np.zeros(width), np.ones(width), np.ones(width), 60.0
    )
    model = Model(
        "stress", ("rest", "stress"), "stress", modalities, tuple(Feature(n, "1", 10.0) for n in names), names, normaliser,
        Adaptive.fit(rng.normal(0, 1.2, (400, width)), 600.0, 30.0), tuple(members), fusion, 0.1, 0.2, 60.0, 30.0,
        {"data": "random"}, joint,
    )  # fmt: skip
    return model, stack
