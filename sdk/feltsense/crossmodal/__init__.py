"""Networks that look at modalities together: what no sum of one opinion per modality can learn.

:mod:`feltsense.crossmodal.attention` is the joint part of a model bundle; :mod:`feltsense.crossmodal.audio_text` takes
frame embeddings of any encoder. Both answer in numpy; training them needs ``pip install "feltsense[neural]"``.
"""

from __future__ import annotations

from feltsense.crossmodal._layers import AGGREGATES
from feltsense.crossmodal.attention import Attention
from feltsense.crossmodal.audio_text import AudioText, Frames, frames

__all__ = ["AGGREGATES", "Attention", "AudioText", "Frames", "frames"]
