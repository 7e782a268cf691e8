"""What a camera and a microphone give at the steps after the rest: arrays, no device."""

import numpy as np

from face_cases import HEIGHT, WIDTH, times, video
from feltsense.vision import ArraySource
from feltsense_app.service.demo import CONTENT
from voice_sounds import RATE, utterance

SECONDS = 17.0
"""A little more than the longest step."""
STUDY = CONTENT | {"id": "neutral", "streams": CONTENT["streams"] | {"camera": {}, "microphone": {}}}


def frames(images=None, seconds=SECONDS, **changes):
    """A face, or one picture again and again."""
    t = times(seconds, 15)
    return ArraySource(video(t, **changes) if images is None else (images for _ in t), t.tolist())


def dark():
    return np.full((HEIGHT, WIDTH, 3), 4, np.uint8)


def wall():
    """Stripes in daylight, and nobody."""
    return np.repeat(np.tile(np.linspace(60, 200, WIDTH).astype(np.uint8), (HEIGHT, 1))[..., None], 3, 2)


def two():
    """Two faces beside each other."""
    (image,) = video(np.zeros(1))
    return np.concatenate([image, image], axis=1)


def sentence(gain=1.0, *, silent=False, noise=0.0):
    """A sentence, 100 ms at a time."""
    said = np.concatenate([utterance(4.0, seed=k) for k in range(4)]) * gain
    said = said * (0.0 if silent else 1.0) + noise * np.random.default_rng(1).standard_normal(len(said))
    return list(np.clip(said, -1, 1).reshape(-1, RATE // 10))
