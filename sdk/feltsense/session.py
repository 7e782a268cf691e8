"""From chunks to predictions: a pipeline, a model, and what this session has seen of the person.

Awaits nothing, reads no clock, opens no file. Windows are those of :class:`feltsense.pipeline.Pipeline`, the same bit
for bit however the streams were cut; so are the predictions.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from feltsense import features
from feltsense.bundle.run import Inputs
from feltsense.core.prediction import Prediction
from feltsense.core.profile import UserProfile
from feltsense.core.timeline import NS, to_ns
from feltsense.core.vector import Reason
from feltsense.crossmodal.memory import Memory
from feltsense.fusion.disagreement import verdict
from feltsense.fusion.late import APART_S, decay, held, lead
from feltsense.fusion.prior import under
from feltsense.pipeline import Pipeline, extract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from feltsense.bundle import Bundle
    from feltsense.bundle.run import Outputs
    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.event import Event
    from feltsense.core.recording import Recording
    from feltsense.core.vector import FeatureVector
    from feltsense.core.window import Window

__all__ = ["Pipeline", "Session", "extract", "predict", "predict_windows"]

CALIBRATION = "calibration"
"""Reason of a window that overlaps the rest which the profile was learned from: its label would be circular."""


MS = 1000
"""Histograms are counted in whole milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """An answer: when its window ended, its logit smoothed and as it was, and what was decided, all (1, …)."""

    stop_ns: int
    smoothed: NDArray[np.float64]
    logit: NDArray[np.float64]
    decision: NDArray[np.float64]


class Session:
    """Chunks in, predictions out; the smoothing's memory is here, and what this session has seen of the person.

    Each window goes on from the answer half a minute before it (:data:`feltsense.fusion.late.APART_S`), whatever the hop.
    It is compared with what was seen before it (:mod:`feltsense.fusion.adaptive`) and counted afterwards, as
    long as the hop. Windows of the rest that the profile was learned from are in the profile already.
    :meth:`profile` gives the profile with what this session saw; nothing is written anywhere.

    Windows that end before the profile's first rest interval use the population's baseline: what was not yet known
    is not used. Windows that overlap a rest interval keep their probabilities and have no label (reason
    ``calibration``). Where no modality is present there is no answer, and the memory stays as it was. Where words alone
    decided against all else there is no label (:mod:`feltsense.fusion.disagreement`).

    Parameters
    ----------
    streams : mapping of str to StreamInfo
        All streams of the session, declared before the first chunk.
    bundle : Bundle
        The model.
    profile : UserProfile, optional
        The person's rest; without it the population's is used.
    hop : float
        Seconds between windows; for a model of utterances (whose window is 0), the utterance's length.
    start_ns : int, optional
        t0, where it is known beforehand.
    engine : str, optional
        What computes the features, as in :class:`Pipeline`. Bundles are trained on the default's; another one's have the
        same names and units, but no model was fitted to its differences: for comparison.

    Raises
    ------
    SchemaError
        If the features of this release are not those of the bundle.
    ProfileError
        If the profile was made from other features.
    """

    def __init__(
        self,
        streams: Mapping[str, StreamInfo],
        bundle: Bundle,
        profile: UserProfile | None = None,
        hop: float = 5.0,
        start_ns: int | None = None,
        engine: str = features.ENGINES[0],
    ) -> None:
        model = bundle.model
        self._bundle, self._model = bundle, model
        self._pipeline = Pipeline(
            streams, window=model.window_s or hop, hop=hop, modalities=model.watched, start_ns=start_ns, engine=engine
        )
        self._columns = model.columns(self._pipeline.schema)
        self._ms = round(min(hop, model.window_s) * MS)
        self._nobody, self._nobodys = bundle.rest(None), bundle.personal(None)
        self.vectors: list[FeatureVector] = []
        """Features behind the predictions that the last push gave, one each: for a screen."""
        self.inputs: list[Inputs] = []
        """What the model was given for them, one each: for an explanation."""
        self.smoothed: list[NDArray[np.float64]] = []
        """Their smoothed logits (classes − 1), before the person's own calibration: what own labels are learned against."""
        self.adopt(profile)

    @property
    def start_ns(self) -> int | None:
        """t0; None while streams that were declared have not begun."""
        return self._pipeline.start_ns

    def adopt(self, profile: UserProfile | None) -> None:
        """Use a profile from the next window on (a person who has just been calibrated)."""
        self._profile = profile
        self._person, self._own = self._bundle.rest(profile), self._bundle.personal(profile)
        self._rest = profile.intervals if profile is not None else ()
        self._begin(known=False)

    def _begin(self, *, known: bool) -> None:
        """Another baseline: logits and standings against it are other quantities, and are not mixed with the old ones."""
        self._known = known
        self._said: deque[_Said] = deque()
        self._earlier = self._bundle.seen(self._profile if known else None)
        self._counts = np.zeros(self._earlier.shape, np.int64)
        self._memory = Memory(self._model.no_past(1))

    def profile(self) -> UserProfile:
        """The profile with what this session has seen so far; the one that was given stays as it is."""
        model = self._model
        digest = model.adaptive.digest
        given = self._profile or UserProfile("", schema_digest=model.schema_digest, window_s=model.window_s)
        if given.bins not in ("", digest):
            # Counted for another model: of no use to this one.
            given = replace(given, seen={}, bins="")
        return given.saw(model.adaptive.named(model.inputs, self._counts), digest)

    def push(self, item: Chunk | Event) -> list[Prediction]:
        """Take a chunk or an event; give the predictions of the windows that became final."""
        return self._answer(self._pipeline.push(item))

    def finish(self) -> list[Prediction]:
        """End all streams; give the predictions that were still waiting."""
        return self._answer(self._pipeline.finish())

    def run(self, items: Iterable[Chunk | Event]) -> Iterator[Prediction]:
        """Push everything and finish."""
        for item in items:
            yield from self.push(item)
        yield from self.finish()

    def _answer(self, pairs: list[tuple[Window, FeatureVector]]) -> list[Prediction]:
        self.vectors, self.inputs, self.smoothed = [v for _, v in pairs], [], []
        return [self._predict(w, v) for w, v in pairs]

    def _predict(self, window: Window, vector: FeatureVector) -> Prediction:
        known = not self._rest or window.stop_ns > self._rest[0].start_ns
        if known != self._known:
            self._begin(known=known)
        mean, seconds = self._person if known else self._nobody
        then = self._remembered(window.stop_ns)
        since, half = (window.stop_ns - then.stop_ns) / NS, self._model.half_life_s
        shares = np.array([[decay(since, half)]]), np.array([[lead(since, half)]])
        x, quality = vector.values[None, self._columns], vector.quality[None, : len(self._model.modalities)]
        own = self._own if known else self._nobodys
        seen = self._earlier + self._counts / MS
        past = (seen[None], then.smoothed, then.logit, then.decision)
        looked = self._memory.at(window.stop_ns)
        inputs = Inputs(x, quality, mean[None], seconds[None], *past, *own, *shares, *looked)
        self.inputs.append(inputs)
        out = self._bundle.runner.run(inputs)
        self.smoothed.append(out.smoothed[0])
        if not (self._resting(window) and self._earlier.any()):
            self._counts += self._model.adaptive.count(out.z, self._ms)
        self._memory.add(window.stop_ns, out.token[0], out.gate[0])
        if not out.abstain[0, 0]:
            self._said.append(_Said(window.stop_ns, out.smoothed, out.logit, held(out.probability)))
        return self._prediction(window, vector, out)

    def _remembered(self, stop_ns: int) -> _Said:
        """The latest answer that is far enough back; those before it are forgotten."""
        far = [m for m in self._said if m.stop_ns <= stop_ns - to_ns(APART_S)]
        for _ in far[:-1]:
            self._said.popleft()
        if far:
            return far[-1]
        nothing = np.full((1, len(self._model.classes) - 1), np.nan)
        return _Said(stop_ns, nothing, nothing, np.zeros((1, len(self._model.classes))))

    def _resting(self, window: Window) -> bool:
        return any(window.overlaps(i.start_ns, i.stop_ns) for i in self._rest)

    def _prediction(self, window: Window, vector: FeatureVector, out: Outputs) -> Prediction:
        model, silent = self._model, bool(out.abstain[0, 0])
        resting = self._resting(window)
        reason = CALIBRATION if resting else ""
        if silent:
            reason = " ".join(f"{m}:{_why(vector, m)}" for m in model.modalities)
        alone, words = verdict(model.modalities, out.contribution[0])
        reason = reason or words
        decided = model.classes.index(model.decision) - 1
        parts = ("base", *model.modalities, "joint")
        shares = self._bundle.shares
        own = vector.quality[: len(model.modalities)]
        p = out.probability[0] if shares is None else under(out.probability, shares)[0]
        return Prediction(
            model.target,
            window.start_ns,
            window.stop_ns,
            {} if silent else dict(zip(model.classes, p.tolist(), strict=True)),
            "" if silent or resting or alone else self._bundle.label(out.probability[0]),
            () if silent else tuple(c for c, there in zip(model.classes, out.plausible[0], strict=True) if there),
            silent or resting or alone,
            reason,
            float(own[np.any(out.contribution[0, 1:-1] != 0.0, axis=1) | (out.gate[0] > 0.0)].max(initial=0.0)),
            {} if silent else dict(zip(model.classes, [0.0, *out.logit[0].tolist()], strict=True)),
            {} if silent else dict(zip(parts, out.contribution[0, :, decided].tolist(), strict=True)),
            self._bundle.id,
            tuple(m for m, there in zip(model.modalities, out.imagined[0], strict=True) if there),
        )


def _why(vector: FeatureVector, modality: str) -> str:
    """Why a modality is not present: its quality's reason, else the first missing feature's."""
    reason = vector.quality_reasons[vector.schema.modalities.index(modality)]
    if reason is not Reason.OK:
        return reason.value
    mine = (r for r, m in zip(vector.reasons, vector.schema.owner, strict=True) if m == modality and r is not Reason.OK)
    return next(mine, Reason.NOISE).value


def predict(
    recording: Recording,
    bundle: Bundle,
    profile: UserProfile | None = None,
    hop: float = 5.0,
    engine: str = features.ENGINES[0],
) -> Iterator[Prediction]:
    """Predictions of a whole recording: exactly a session that is pushed the recording's items."""
    hop = hop if bundle.model.window_s else recording.seconds
    session = Session(recording.infos(), bundle, profile, hop, recording.start_ns, engine)
    return session.run(recording.items())


def predict_windows(
    windows: Iterable[tuple[Window, FeatureVector]],
    streams: Mapping[str, StreamInfo],
    bundle: Bundle,
    profile: UserProfile | None = None,
    hop: float = 5.0,
) -> Iterator[Prediction]:
    """Predictions of windows whose features are there already (a `Batch`'s): a session's, to the bit.

    Parameters
    ----------
    windows : iterable of (Window, FeatureVector)
        In order, of the model's modalities and window length.
    streams : mapping of str to StreamInfo
        The recording's.
    bundle : Bundle
        The model.
    profile : UserProfile, optional
        The person's rest.
    hop : float
        Seconds between the windows.
    """
    session = Session(streams, bundle, profile, hop, 0)
    for window, vector in windows:
        yield session._predict(window, vector)
