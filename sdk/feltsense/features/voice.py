"""Voice: how something was said, in one window.

From the rows that :class:`~feltsense.dsp.voice.front.VoiceFrontEnd` makes of sound; the sound itself never comes here.
A window takes the rows that begin in it; a window as long as the recording (``--window whole``) is one utterance. Rows
carry no state from one to the next, so the same window gives the same bits however they came.

The set follows what was measured to tell seven acted emotions apart across speakers: cepstra with their change, melody
in semitones, loudness, long-term and modulation spectra, voice quality and timing. Its order is that of the families.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.features._gate import collect
from feltsense.features._one_stream import OneStream
from feltsense.features._voice_phonation import FORMANTS, PHONATION
from feltsense.features._voice_prosody import LOUDNESS, PITCH, TIMING
from feltsense.features._voice_rows import REFERENCE_HZ, STEP_S, Rows
from feltsense.features._voice_spectral import AVERAGE, CEPSTRUM, COUPLING, MODULATION, SHAPE
from feltsense.quality.voice import Sound, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feltsense.core.window import Window

__all__ = ["EXTRACTOR", "FAMILIES", "Voice"]

FAMILIES: Final = (PITCH, LOUDNESS, TIMING, PHONATION, FORMANTS, SHAPE, CEPSTRUM, AVERAGE, MODULATION, COUPLING)
_EDGES_S = 0.02
"""A window's ends cut two rows."""
_NOTHING = frozenset({Reason.NO_SIGNAL, Reason.FLATLINE, Reason.NO_SPEECH})


class Voice(OneStream):
    """Features of one stream of rows."""

    requires: ClassVar[str] = "voice"
    specs: ClassVar[tuple[FeatureSpec, ...]] = tuple(s for family in FAMILIES for s in family.specs)

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        _, values = self._tail.between(window.start_ns, window.stop_ns)
        values = values[np.isfinite(values).all(axis=1)]
        if not len(values):
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        rows = Rows(values)
        found = {k: v for family in FAMILIES for k, v in family.values(rows).items()}
        coverage = rows.seconds / max(window.seconds - _EDGES_S, STEP_S)
        quality, worst = judge(_sound(rows, found, coverage))
        reasons = {}
        for spec in self.specs:
            if worst in _NOTHING:
                reasons[spec.name] = worst
            elif rows.seconds + _EDGES_S < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT if window.seconds < spec.min_seconds else Reason.GAP
            else:
                reasons[spec.name] = Reason.OK
        return collect(self.specs, found, reasons, (quality, worst))


def _sound(rows: Rows, found: Mapping[str, float], coverage: float) -> Sound:
    return Sound(
        rows.level,
        rows["peak"],
        rows["clipped"],
        rows.active,
        rows.voiced,
        rows.semitones,
        rows["periodicity"],
        float(rows["bandwidth"].min()),
        REFERENCE_HZ * 2.0 ** (found["f0st_p50"] / 12.0),
        found["loudness_peaks_s"],
        found["centroid_p50"],
        coverage,
    )


EXTRACTOR = Voice
