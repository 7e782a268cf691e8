"""Whole recordings as windows: what training, calibration and prediction agree on where a recording is one utterance."""

from __future__ import annotations

from typing import Final

__all__ = ["REST_UTTERANCES", "UTTERANCE_REST_S", "WHOLE"]

WHOLE: Final = 0.0
"""A window's length in seconds that stands for the whole recording."""
REST_UTTERANCES: Final = 4
"""Neutral utterances that a person is calibrated on: one or two say more about their words than about the speaker."""
UTTERANCE_REST_S: Final = 15.0
"""Seconds of rest that a neutral utterance counts as against the population (30 s): between speakers, features of one
utterance vary about as much as within one, so that two neutral utterances weigh as much as everybody else."""
