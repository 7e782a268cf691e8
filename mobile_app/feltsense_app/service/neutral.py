"""A neutral face and a sentence read aloud, as features: pieces in, sentences about them while they come, one vector out.

Contract
--------
- A picture, or a piece of sound, is measured when it comes and then dropped; nothing is written. What is left in the end
  is one vector of features.
- Two windows look at the same rows: a short one every second, for the person, and one as long as the step.
- Whether it can be used is judged by the features' own quality, and by what that cannot see: how loud it was.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import numpy as np

from feltsense.core.chunk import Chunk, StreamInfo
from feltsense.core.signals import spec
from feltsense.core.timeline import TimeMap
from feltsense.core.utterance import UTTERANCE_REST_S
from feltsense.core.vector import Reason
from feltsense.core.voice_row import ROW_RATE, column
from feltsense.dsp.voice import VoiceFrontEnd
from feltsense.pipeline import Pipeline
from feltsense_app.presenters.neutral import LENGTH_S, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from numpy.typing import NDArray

    from feltsense.core.vector import FeatureVector
    from feltsense.vision import Frame
    from feltsense_app.platform import Phone

__all__ = ["EACH_S", "FaceTake", "Look", "Take", "VoiceTake", "measure"]

FRAMES: Final = Fraction(15)
"""Frames a second: blinks are seen, and a phone stays cool."""
SOUND: Final = Fraction(16_000)
"""Samples a second: all that a voice is analysed at."""
LOOK_S, LOOK_EVERY_S = 2.0, 1.0
"""A syllable or a look away is no fault of a window of 2 s."""
GOOD: Final = 0.7
"""Least quality of the face that is kept: as much of it as of the rest."""
HEARD: Final = 0.55
"""Least quality of the voice: a narrow microphone (0.6) is the person's usual one, noise (0.5) is not."""
QUIET: Final = 0.02
"""Largest sample below which speech is too quiet (-34 dB): somebody who talks to a phone at arm's length is above."""
EACH_S: Final = {Step.FACE: LENGTH_S[Step.FACE], Step.VOICE: UTTERANCE_REST_S}
"""Seconds of rest that each counts as: a sentence as much as any neutral utterance."""

SPOKEN_S: Final = 2.0
"""Least voiced sound of a sentence read aloud, which is about half of it: a few words are no baseline."""
HEARD_S: Final = 0.2
"""Least voiced sound in the last seconds, from which on somebody is reading."""
LOUD: Final = 0.03
"""Median of the largest samples from which on it is no silence in which nobody was heard."""


class Look(NamedTuple):
    """How much has passed, 0 to 1, and the key of the sentence about now."""

    share: float
    feedback: str


class Take(ABC):
    """One step that is being taken.

    Parameters
    ----------
    info : StreamInfo
        Rows of the front end.
    step : Step
        Which one.
    least : float
        Least quality that can be used.
    """

    said: ClassVar[Mapping[Reason, str]]
    """Reason → key of its sentence; what is not here came too late, or not at all."""

    def __init__(self, info: StreamInfo, step: Step, least: float) -> None:
        self._least, self._whole_s = least, LENGTH_S[step]
        modality = (step.value,)
        self._near = Pipeline({info.id: info}, window=LOOK_S, hop=LOOK_EVERY_S, modalities=modality)
        self._whole = Pipeline({info.id: info}, window=self._whole_s, hop=self._whole_s, modalities=modality)
        self._seen_s = LOOK_S - LOOK_EVERY_S
        self.vector: FeatureVector | None = None
        """Its features, when it is over."""

    def push(self, piece: Any) -> list[Look]:
        """Take what the source gave; say how it looks."""
        return [look for rows in self._read(piece) for look in self._look(rows)]

    def verdict(self) -> str:
        """Key of the reason why it cannot be used; empty if it can."""
        return "neutral.short" if self.vector is None else self._fault(self.vector)

    def close(self) -> None:
        """Forget what is still held."""
        self.vector = None

    @abstractmethod
    def _read(self, piece: Any) -> list[Chunk]:
        """Rows of what the source gave."""

    def _look(self, rows: Chunk) -> list[Look]:
        if self.vector is None:
            self.vector = next((vector for _, vector in self._whole.push(rows)), None)
        out = []
        for _, vector in self._near.push(rows):
            self._seen_s += LOOK_EVERY_S
            out.append(Look(self._seen_s / self._whole_s, self._near_fault(vector) or "neutral.good"))
        return out

    def _near_fault(self, vector: FeatureVector) -> str:
        return self._fault(vector)

    def _fault(self, vector: FeatureVector) -> str:
        if float(vector.quality[0]) >= self._least:
            return ""
        return self.said.get(vector.quality_reasons[0], "neutral.short")


class FaceTake(Take):
    """A neutral face: from pictures with their times."""

    said: ClassVar[Mapping[Reason, str]] = {
        Reason.NO_FACE: "neutral.no_face",
        Reason.SEVERAL_FACES: "neutral.several_faces",
        Reason.DARK: "neutral.dark",
        Reason.COVERED: "neutral.dark",
        Reason.BLUR: "neutral.blur",
        Reason.SATURATED: "neutral.bright",
    }

    def __init__(self) -> None:
        from feltsense.vision import FaceReader, camera_stream

        self._reader = FaceReader(camera_stream(FRAMES))
        super().__init__(self._reader.info, Step.FACE, GOOD)

    def _read(self, piece: Frame) -> list[Chunk]:
        return [self._reader.push(piece.image, piece.t_ns)]


class VoiceTake(Take):
    """A sentence read aloud: from pieces of sound, each of shape (n,), full scale ±1."""

    said: ClassVar[Mapping[Reason, str]] = {
        Reason.NO_SPEECH: "neutral.no_speech",
        Reason.FLATLINE: "neutral.no_speech",
        Reason.SATURATED: "neutral.clipped",
        Reason.NOISE: "neutral.noise",
        Reason.MUSIC: "neutral.noise",
        Reason.WRONG_RATE: "neutral.noise",
    }

    def __init__(self) -> None:
        self._info = StreamInfo("phone.audio", spec("audio", SOUND), "phone")
        self._ear = VoiceFrontEnd(self._info)
        super().__init__(self._ear.info, Step.VOICE, HEARD)
        self._time, self._at = TimeMap.uniform(0, SOUND), 0
        self._heard = np.empty((0, 2))
        """Pitch and largest sample of each row."""

    def verdict(self) -> str:
        """Key of the reason why it cannot be used."""
        return _heard(super().verdict(), self._heard, SPOKEN_S)

    def close(self) -> None:
        """Sound that is still held is overwritten."""
        self._ear.close()
        super().close()

    def _read(self, piece: NDArray[np.float64]) -> list[Chunk]:
        samples = np.asarray(piece, np.float64).reshape(-1, 1)
        rows = self._ear.push(Chunk(self._info, 0, self._at, samples, self._time))
        self._at += len(samples)
        return rows

    def _look(self, rows: Chunk) -> list[Look]:
        if self.vector is None:
            self._heard = np.vstack((self._heard, rows.values[:, [column("f0"), column("peak")]]))
        return super()._look(rows)

    def _near_fault(self, vector: FeatureVector) -> str:
        return _heard(self._fault(vector), self._heard[-int(LOOK_S * ROW_RATE) :], HEARD_S)


def _heard(fault: str, rows: NDArray[np.float64], least_s: float) -> str:
    """Key of what is wrong: of the quality's fault, else that it is too little or too quiet."""
    voiced = rows[rows[:, 0] > 0.0, 1]
    if fault == "neutral.no_speech" or (not fault and len(voiced) < least_s * ROW_RATE):
        return "neutral.noise" if float(np.median(rows[:, 1])) > LOUD else "neutral.no_speech"
    return fault or ("neutral.quiet" if float(np.percentile(voiced, 90)) < QUIET else "")


def take_of(step: Step) -> Take:
    """What takes a step.

    Raises
    ------
    MissingExtraError
        If it needs what is not installed.
    """
    return FaceTake() if step is Step.FACE else VoiceTake()


def source_of(phone: Phone, step: Step) -> Generator[Any]:
    """What it is taken from; InputError when it cannot be used."""
    return phone.frames(FRAMES) if step is Step.FACE else phone.sound(SOUND)


def measure(
    phone: Phone, step: Step, tell: Callable[[Look], None], stopped: Callable[[], bool]
) -> tuple[FeatureVector | None, str]:
    """Take a step, which lasts as long as it does: its features, and the key of the reason why they cannot be used.

    Raises
    ------
    FeltsenseError
        If the camera or the microphone cannot be used.
    """
    take = take_of(step)
    try:
        with closing(source_of(phone, step)) as source:
            for piece in source:
                if stopped():
                    break
                for look in take.push(piece):
                    tell(look)
                if take.vector is not None:
                    break
        return take.vector, take.verdict()
    finally:
        take.close()
