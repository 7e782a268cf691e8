"""Made-up people whom a model reads with a wrong border and a wrong sureness, for tests and the benchmark of calibration."""

import numpy as np

from feltsense.evaluate.metrics import calibration_error
from feltsense.fusion.personal import learn

WINDOWS, LABELS = 600, 20
"""Windows of each person, of which the first 20 are labelled; 580 are judged."""
TARGET = "stress"


def person(rng):
    """Logits that are right but for this person's offset and temperature; blocks of states in chronological order.

    With it the exact logits and the truth; both classes are among the first labels.
    """
    y = np.repeat(rng.random(WINDOWS // 5) < 0.4, 5).astype(np.int64)
    y[:8], y[8:14] = 0, 1
    truth = 1.6 * (2 * y - 1) * 0.8 + rng.normal(0, 1.6, WINDOWS)
    # Of a normal variable with equal spreads the exact logit is linear: 2·m·x/s².
    exact = 2 * 1.28 * truth / 1.6**2
    temperature, offset = np.exp(rng.normal(0, 0.3)), rng.normal(0, 0.8)
    return exact * temperature - offset, exact, y


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def read(calibrator, logit):
    """A logit as the calibrator reads it; as it is without one."""
    if calibrator is None:
        return logit
    return (calibrator.slope[0] * logit + calibrator.offset[0]) / calibrator.temperature


def one_error(rng, counts):
    """A person's calibration error: of the model as it is, after each number of labels, and of a perfect model."""
    logit, exact, y = person(rng)
    late = slice(LABELS, None)
    readings = [logit, *(read(learn(logit[:n, None], y[:n], TARGET), logit) for n in counts), exact]
    return [calibration_error(y[late] == 1, sigmoid(v[late])) for v in readings]


def one_covered(rng, labels):
    """Probabilities (n, 2) and truth of a person's windows after the labelled ones."""
    logit, _, truth = person(rng)
    own = learn(logit[:labels, None], truth[:labels], TARGET)
    p = sigmoid(read(own, logit))[LABELS:]
    return np.stack([1 - p, p], axis=1), truth[LABELS:]


def inside(p, limit):
    """Classes in the set (n, 2), as a bundle's graph tells them."""
    return (p >= limit) | (p >= p.max(axis=1, keepdims=True))
