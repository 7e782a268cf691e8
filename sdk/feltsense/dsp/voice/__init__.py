"""A voice in numbers: numpy and scipy only, each measure with its source beside it.

:class:`~feltsense.dsp.voice.front.VoiceFrontEnd` turns sound into rows of measures; features of a window are made of
rows (:mod:`feltsense.features.voice`).
"""

from __future__ import annotations

from feltsense.dsp.voice.front import VoiceFrontEnd

__all__ = ["VoiceFrontEnd"]
