"""Features of one window: a value, or NaN and the reason why there is none.

Rules
-----
- A name is ``<modality>.<feature>``; a modality's quality is ``quality.<modality>``.
- A value is NaN exactly where its reason is not ``ok``. Never 0 for "unknown", never interpolated.
- Quality is 0..1 per modality, with a reason when it is low.
- Asking for an unknown name is an error: a silent miss would be a feature that is always absent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from feltsense.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Extracted", "FeatureSchema", "FeatureSpec", "FeatureVector", "Reason"]


class Reason(StrEnum):
    """Why a value is missing, or a quality low."""

    OK = "ok"
    NO_SIGNAL = "no_signal"
    """The stream is not there in this window."""
    GAP = "gap"
    """Too much of the window is missing."""
    TOO_SHORT = "too_short"
    """Less usable time than the feature's own minimum."""
    TOO_FEW_BEATS = "too_few_beats"
    FLATLINE = "flatline"
    SATURATED = "saturated"
    OFF_SKIN = "off_skin"
    MOTION = "motion"
    ARTEFACT = "artefact"
    """Too large a share was corrected or implausible."""
    NOISE = "noise"
    """The waveform does not look like the signal."""
    NO_SPEECH = "no_speech"
    """Silence, or sound that is no speech."""
    MUSIC = "music"
    """Sound of notes rather than of speech."""
    WRONG_RATE = "wrong_rate"
    """What is measured fits nobody at the stated sampling rate."""
    WARM_UP = "warm_up"
    """Filters have not settled yet."""
    NONE_FOUND = "none_found"
    """There was nothing to measure, for example no skin conductance response to have an amplitude."""
    DISAGREE = "disagree"
    """Independent methods give different answers."""
    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    """More than one face is in the picture: whose it is, is not known."""
    DARK = "dark"
    COVERED = "covered"
    """The camera sees next to nothing: a finger, a pocket, a cover."""
    BLUR = "blur"
    NOT_SUPPORTED = "not_supported"
    """This rate or device cannot give it."""


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """What a feature is.

    Attributes
    ----------
    name : str
        Without its modality, for example ``"rmssd"``.
    unit : str
        Unit of the value, ``"1"`` for none.
    definition : str
        One sentence, or the formula.
    source : str
        Paper or standard.
    min_seconds : float
        Least usable time in a window; below it the value is NaN with ``too_short``.
    """

    name: str
    unit: str
    definition: str
    source: str
    min_seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """One modality's features of one window, as an extractor gives them.

    Attributes
    ----------
    values : ndarray of float64, shape (features,)
        In the order of the extractor's specs; NaN where the reason is not ok.
    reasons : tuple of Reason
        One a feature.
    quality : float
        0..1.
    quality_reason : Reason
        Why the quality is below 1; ``ok`` when nothing is wrong.
    """

    values: NDArray[np.float64]
    reasons: tuple[Reason, ...]
    quality: float
    quality_reason: Reason = Reason.OK

    @classmethod
    def nothing(cls, n: int, reason: Reason) -> Extracted:
        """`n` features that are all missing for the same reason."""
        return cls(np.full(n, np.nan), (reason,) * n, 0.0, reason)


class FeatureSchema:
    """Names of features and modalities, in order.

    Parameters
    ----------
    modalities : sequence of (str, sequence of FeatureSpec)
        Each modality with its features.
    """

    def __init__(self, modalities: Sequence[tuple[str, Sequence[FeatureSpec]]]) -> None:
        self.modalities = tuple(m for m, _ in modalities)
        self.specs = tuple(s for _, specs in modalities for s in specs)
        self.names = tuple(f"{m}.{s.name}" for m, specs in modalities for s in specs)
        self.owner = tuple(m for m, specs in modalities for _ in specs)
        self._position = {name: i for i, name in enumerate(self.names)}
        if len(self._position) != len(self.names) or len(set(self.modalities)) != len(self.modalities):
            msg = f"a feature or modality is named twice in {self.names}"
            raise SchemaError(msg)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FeatureSchema) and self.names == other.names and self.modalities == other.modalities

    def __hash__(self) -> int:
        return hash((self.names, self.modalities))

    def position(self, name: str) -> int:
        """Column of a feature.

        Raises
        ------
        SchemaError
            If there is no such feature.
        """
        try:
            return self._position[name]
        except KeyError:
            msg = f"unknown feature {name!r}; known: {', '.join(self.names)}"
            raise SchemaError(msg) from None

    @property
    def digest(self) -> str:
        """Hash of names, units and definitions: equal digests mean the same features."""
        text = "\n".join(f"{n}|{s.unit}|{s.definition}|{s.min_seconds}" for n, s in zip(self.names, self.specs, strict=True))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class FeatureVector:
    """All features of one window.

    Attributes
    ----------
    schema : FeatureSchema
        Names, in the order of the columns.
    values : ndarray of float64, shape (features,)
        Read-only.
    reasons : tuple of Reason
        One a feature; ``ok`` exactly where the value is finite.
    quality : ndarray of float64, shape (modalities,)
        0..1; read-only.
    quality_reasons : tuple of Reason
        One a modality.
    """

    schema: FeatureSchema
    values: NDArray[np.float64]
    reasons: tuple[Reason, ...]
    quality: NDArray[np.float64]
    quality_reasons: tuple[Reason, ...]

    def __post_init__(self) -> None:
        for name in ("values", "quality"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if len(self.values) != len(self.schema.names) or len(self.reasons) != len(self.schema.names):
            msg = f"{len(self.schema.names)} features expected, got {len(self.values)} values, {len(self.reasons)} reasons"
            raise SchemaError(msg)
        ok = Reason.OK
        if np.isfinite(self.values).tolist() != [r is ok for r in self.reasons]:
            self._refuse()

    def _refuse(self) -> None:
        for name, value, reason in zip(self.schema.names, self.values, self.reasons, strict=True):
            if np.isfinite(value) != (reason is Reason.OK):
                msg = f"{name} is {value} with reason {reason}: NaN exactly where a reason says why"
                raise SchemaError(msg)

    def __getitem__(self, name: str) -> float:
        """Value of a feature, or of ``quality.<modality>``."""
        prefix, _, modality = name.partition(".")
        if prefix == "quality" and modality in self.schema.modalities:
            return float(self.quality[self.schema.modalities.index(modality)])
        return float(self.values[self.schema.position(name)])

    def reason(self, name: str) -> Reason:
        """Why a feature is missing; ``ok`` when it is not."""
        return self.reasons[self.schema.position(name)]
