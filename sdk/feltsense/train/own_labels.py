"""A person's own labels of a recording → how the model's logit is read for this person.

Rules
-----
- The model judges the recording as ``predict`` does, with the profile as it is but for what earlier labels taught:
  labels are learned against the model, not against each other.
- A window has a label where one label covers at least 95 % of it, as in training. Windows of the calibrated rest teach
  nothing: the profile was made from them.
- Windows every 30 s overlap by half: each counts as the half that is new.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense.core.utterance import WHOLE
from feltsense.errors import InputError, LabelError
from feltsense.fusion.personal import learn
from feltsense.session import CALIBRATION, Session
from feltsense.train.labels import UNLABELLED, classes_of, votes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feltsense.bundle import Bundle
    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import UserProfile
    from feltsense.core.recording import Recording
    from feltsense.datasets.labelled import Interval

__all__ = ["LABEL_HOP_S", "learn_labels"]

LABEL_HOP_S = 30.0
"""Seconds between the windows that labels are looked up for: the hop that models are trained at."""


def learn_labels(
    recording: Recording, intervals: Sequence[Interval], bundle: Bundle, profile: UserProfile
) -> UserProfile:
    """The profile with a calibrator learned from labels; one that was there before is replaced.

    Parameters
    ----------
    recording : Recording
        What was labelled.
    intervals : sequence of Interval
        The labels, on the recording's time.
    bundle : Bundle
        Whose logits are to be read.
    profile : UserProfile
        The person's, with a known rest or without.

    Raises
    ------
    LabelError
        If a label is no class of the model, or no window outside the calibrated rest has one.
    InputError
        If all windows have the same label: that says nothing about the border.
    """
    model = bundle.model
    unknown = sorted({i.label for i in intervals} - set(model.classes))
    if unknown:
        msg = f"labels {', '.join(unknown)} are no classes of target {model.target}; it knows {', '.join(model.classes)}"
        raise LabelError(msg)
    logit, y = _labelled(recording, intervals, bundle, replace(profile, calibrator=None))
    if not len(y):
        msg = (
            f"no window of {recording.subject} has a label: a label must cover {model.window_s:g} s of signal outside the "
            "rest that the profile was learned from"
        )
        raise LabelError(msg)
    counts = np.bincount(y, minlength=len(model.classes))
    share = min(LABEL_HOP_S / model.window_s, 1.0) if model.window_s != WHOLE else 1.0
    found = learn(logit, y, model.target, np.full(len(y), share))
    if found is None:
        only = model.classes[int(counts.argmax())]
        msg = f"all {len(y)} labelled windows are {only}: labels of at least two classes are needed"
        raise InputError(msg)
    told = ", ".join(f"{n} {c}" for c, n in zip(model.classes, counts, strict=True))
    line = f"{len(y)} labelled windows of {recording.subject} ({told}) for {model.target}"
    return replace(profile, calibrator=found, lineage=(*profile.lineage, line))


def _labelled(
    recording: Recording, intervals: Sequence[Interval], bundle: Bundle, profile: UserProfile
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Smoothed logits and class of every window that teaches."""
    model = bundle.model
    hop = LABEL_HOP_S if model.window_s != WHOLE else recording.seconds
    session = Session(recording.infos(), bundle, profile, hop, recording.start_ns)
    windows: list[Prediction] = []
    logits: list[NDArray[np.float64]] = []

    def take(items: Sequence[Prediction]) -> None:
        for p, smoothed in zip(items, session.smoothed, strict=True):
            if p.probabilities and p.reason != CALIBRATION:
                windows.append(p)
                logits.append(smoothed)

    for item in recording.items():
        take(session.push(item))
    take(session.finish())
    counted, _ = votes(windows, intervals, model.classes)
    y = classes_of(counted)
    kept = y != UNLABELLED
    return np.array(logits).reshape(len(logits), -1)[kept], y[kept]
