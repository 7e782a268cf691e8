"""Words in numbers: counts of the standard library, and whatever the caller brings for meaning.

:class:`~feltsense.dsp.text.front.TextFrontEnd` turns what was said, by whom, into rows; features of a window are made of
rows (:mod:`feltsense.features.text`).
"""

from __future__ import annotations

from feltsense.dsp.text.front import TextFrontEnd

__all__ = ["TextFrontEnd"]
