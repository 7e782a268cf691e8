"""Words in, rows out: the only thing in feltsense that sees what was said.

Contract
--------
- :meth:`TextFrontEnd.turn` takes one turn and gives what a session is pushed: one row of kind ``text``
  (:mod:`feltsense.core.text_row`), and the event that nothing more is pending. The text is dropped; of the conversation
  it keeps the valence and the vector of a few last turns.
- Words mean something by who said them and after what: a row holds the others' valence just before, the person's own
  last valence, and how like the turn before it is.
- `sentiment` and `embed` are the caller's, any function of a string; :func:`vader` is one. Neither is needed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from feltsense.core.chunk import Chunk, Gap, GapReason, StreamInfo
from feltsense.core.event import Event, EventKind
from feltsense.core.signals import IRREGULAR, spec
from feltsense.core.text_row import TEXT_CHANNELS
from feltsense.core.timeline import TimeMap
from feltsense.dsp.text.counts import LONGEST, count
from feltsense.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Sentiment = Callable[[str], tuple[float, float, float, float]]
    Embedder = Callable[[str], Sequence[float]]

__all__ = ["SELF", "TextFrontEnd", "vader"]

SELF: Final = "self"
"""The person whose state is estimated."""
_REMEMBERED = 3
"""Turns of context on each side: what an answer answers is rarely further back."""
_ENGLISH, _FEW = 0.15, 4
"""Share of everyday words that English has at least (it has .4 to .6), in texts of more than a few words."""


def vader() -> Sentiment:
    """Valence by VADER (Hutto & Gilbert 2014, ICWSM): compound, positive, negative and neutral share; English only.

    Raises
    ------
    MissingExtraError
        If vaderSentiment is not installed.
    """
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        raise MissingExtraError("text", "the valence of words") from None
    analyser = SentimentIntensityAnalyzer()

    def rate(text: str) -> tuple[float, float, float, float]:
        s = analyser.polarity_scores(text)
        return s["compound"], s["pos"], s["neg"], s["neu"]

    return rate


class TextFrontEnd:
    """Turns one conversation or journal into rows.

    Parameters
    ----------
    device : str
        Where the words come from; the stream is ``<device>.text``.
    sentiment : callable, optional
        Text → valence −1..1, and shares of positive, negative and neutral words. Asked for English only if it is
        :func:`vader`'s.
    embed : callable, optional
        Text → vector; only the angle between two turns' vectors is used.
    english_only : bool
        Whether `sentiment` knows English only.
    """

    def __init__(
        self,
        device: str = "phone",
        *,
        sentiment: Sentiment | None = None,
        embed: Embedder | None = None,
        english_only: bool = True,
    ) -> None:
        self.info = StreamInfo(f"{device}.text", spec("text", IRREGULAR), device)
        self._sentiment, self._embed, self._english_only = sentiment, embed, english_only
        self._segment = -1
        self._last_ns: int | None = None
        self._vector: np.ndarray | None = None
        self._valences: dict[bool, deque[float]] = {who: deque(maxlen=_REMEMBERED) for who in (True, False)}

    def start(self, t_ns: int) -> Event:
        """Say that nothing is pending: a session must not wait for a first word."""
        return Event(t_ns, EventKind.STALLED, 0.0, self.info.id)

    def turn(self, t_ns: int, text: str, *, speaker: str = SELF, seconds: float | None = None) -> tuple[Chunk, Event]:
        """Take one turn.

        Parameters
        ----------
        t_ns : int
            When it was complete; not before the turn before.
        text : str
            What was said or written; dropped afterwards.
        speaker : str
            ``self``, or anybody else's name or number.
        seconds : float, optional
            How long it took to say.

        Raises
        ------
        InputError
            If the text is no text or has more than 100,000 characters, or time goes backwards.
        """
        if not isinstance(text, str):
            msg = f"{self.info.id}: a turn is text, not {type(text).__name__}"
            raise InputError(msg)
        if len(text) > LONGEST:
            msg = f"{self.info.id}: a turn of {len(text)} characters; at most {LONGEST}: split it into turns or entries"
            raise InputError(msg)
        if self._last_ns is not None and t_ns < self._last_ns:
            msg = f"{self.info.id}: a turn at {t_ns} ns after one at {self._last_ns} ns; give them in order"
            raise InputError(msg)
        values = self._row(t_ns, text, speaker == SELF, seconds)
        self._segment += 1
        self._last_ns = t_ns
        time = TimeMap.irregular([t_ns])
        chunk = Chunk(self.info, self._segment, 0, values[None], time, Gap(0, 0, GapReason.SOURCE))
        return chunk, Event(t_ns + 1, EventKind.STALLED, 0.0, self.info.id)

    def _row(self, t_ns: int, text: str, own: bool, seconds: float | None) -> np.ndarray:
        nan = float("nan")
        row = dict.fromkeys(TEXT_CHANNELS, nan) | count(text)
        row["own"] = float(own)
        row["seconds"] = nan if seconds is None or not seconds > 0.0 else float(seconds)
        row["delay"] = nan if self._last_ns is None else (t_ns - self._last_ns) / 1e9
        foreign = row["unspaced"] or (row["words"] > _FEW and row["english"] < _ENGLISH)
        if self._sentiment is not None and row["words"] and not (self._english_only and foreign):
            row["valence"], row["positive"], row["negative"], row["neutral"] = self._sentiment(text)
        row["valence_before"], row["own_before"] = (_mean(self._valences[who]) for who in (False, True))
        if np.isfinite(row["valence"]):
            self._valences[own].append(row["valence"])
        if self._embed is not None and text.strip():
            vector = np.asarray(self._embed(text), np.float64).ravel()
            row["likeness"] = _cosine(vector, self._vector)
            self._vector = vector
        values = np.array([row[name] for name in TEXT_CHANNELS])
        # A caller's function may give anything; a row is a number or nothing.
        return np.where(np.isfinite(values), values, nan)


def _mean(values: deque[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _cosine(a: np.ndarray, b: np.ndarray | None) -> float:
    if b is None or a.shape != b.shape:
        return float("nan")
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0.0 else float("nan")
