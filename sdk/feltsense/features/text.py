"""Text: what was said or written, in one window, as counts, valence and its place in the conversation.

From the rows of :class:`~feltsense.dsp.text.front.TextFrontEnd`; words never come here. Features are the person's own
turns that end in the window, and their standing against what the others said before.

Words can hide a feeling ("fine, thanks"). So text is evidence beside others, never against all of them:
:mod:`feltsense.fusion.disagreement`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from feltsense.core.text_row import at
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.features._gate import collect
from feltsense.features._one_stream import OneStream
from feltsense.quality.text import judge

if TYPE_CHECKING:

    from numpy.typing import NDArray

    from feltsense.core.window import Window

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "Text"]

_VADER = "Hutto & Gilbert 2014, ICWSM"
_EDWARDS = "Edwards & Holtzman 2017, J Res Pers 68:63"
_MOSAIWI = "Al-Mosaiwi & Johnstone 2018, Clin Psychol Sci 6:529"
_OWN = "this library"
_RATES: Final = (
    ("fps_rate", "first_person", "First-person singular words over words", _EDWARDS),
    ("negation_rate", "negations", "Negations over words", _OWN),
    ("absolutist_rate", "absolutes", "Absolute words (always, nothing, …) over words", _MOSAIWI),
    ("filler_rate", "fillers", "Fillers (um, uh, …) over words", _OWN),
)


class Text(OneStream):
    """Features of one conversation or journal."""

    requires: ClassVar[str] = "text"
    specs: ClassVar[tuple[FeatureSpec, ...]] = (
        FeatureSpec("n_turns", "1", "Own turns that end in the window", _OWN),
        FeatureSpec("n_words", "1", "Own words", _OWN),
        FeatureSpec("words_per_turn", "1", "Own words over own turns", _OWN),
        FeatureSpec("word_length", "1", "Letters over words", _OWN),
        FeatureSpec("sentence_length", "1", "Words over sentences", _OWN),
        FeatureSpec("ttr", "1", "Different words over words, mean over turns by their words", _OWN),
        *(FeatureSpec(name, "1", what, source) for name, _, what, source in _RATES),
        FeatureSpec("question_rate", "1", "Question marks over sentences", _OWN),
        FeatureSpec("exclamation_rate", "1", "Exclamation marks over sentences", _OWN),
        FeatureSpec("words_s", "1/s", "Words over seconds, of turns whose length is known", _OWN),
        FeatureSpec("delay", "s", "Median time from the turn before to the end of an own turn", _OWN),
        FeatureSpec("turn_share", "1", "Own words over everybody's words", _OWN),
        FeatureSpec("valence", "1", "Valence −1..1, mean over own turns by their words", _VADER),
        FeatureSpec("valence_low", "1", "Lowest valence of an own turn", _VADER),
        FeatureSpec("pos", "1", "Share of positive words", _VADER),
        FeatureSpec("neg", "1", "Share of negative words", _VADER),
        FeatureSpec("neu", "1", "Share of neutral words", _VADER),
        FeatureSpec("valence_shift", "1", "Own valence minus that of the own last turns before", _OWN),
        FeatureSpec("valence_reply", "1", "Own valence minus that of what the others said just before", _OWN),
        FeatureSpec("valence_others", "1", "Valence of what the others said just before own turns", _OWN),
        FeatureSpec("likeness", "1", "Cosine of the vectors of a turn and the one before, mean over own turns", _OWN),
    )

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        _, rows = self._tail.between(window.start_ns, window.stop_ns)
        own = rows[rows[:, at("own")] == 1.0] if len(rows) else rows
        words = own[:, at("words")]
        total = float(words.sum())
        english = float(words @ own[:, at("english")]) / total if total else 0.0
        unspaced = bool(own[:, at("unspaced")].any()) if len(own) else False
        quality, worst = judge(len(own), total, english, unspaced)
        if worst in (Reason.NO_SIGNAL, Reason.NONE_FOUND):
            return Extracted.nothing(len(self.specs), worst)
        reasons = dict.fromkeys((s.name for s in self.specs), Reason.OK)
        if worst is Reason.NOT_SUPPORTED:
            reasons |= dict.fromkeys((name for name, *_ in _RATES), worst)
            if unspaced:
                counted = ("n_words", "words_per_turn", "word_length", "sentence_length", "ttr", "words_s", "turn_share")
                reasons |= dict.fromkeys(counted, worst)
        return collect(self.specs, _values(own, rows), reasons, (quality, worst))


def _mean(x: Array, weight: Array) -> float:
    there = np.isfinite(x) & (weight > 0.0)
    return float(x[there] @ weight[there]) / float(weight[there].sum()) if there.any() else float("nan")


def _values(own: Array, rows: Array) -> dict[str, float]:
    """Every feature; NaN where nothing says it."""
    c = {name: np.ascontiguousarray(own[:, at(name)]) for name in ("words", "types", "valence", "seconds")}
    words, valence = c["words"], c["valence"]
    total, sentences = float(words.sum()), float(own[:, at("sentences")].sum())
    timed = np.isfinite(c["seconds"])
    delays = own[:, at("delay")]
    delays = delays[np.isfinite(delays)]
    known = valence[np.isfinite(valence)]
    out = {
        "n_turns": float(len(own)),
        "n_words": total,
        "words_per_turn": total / len(own),
        "word_length": float(own[:, at("letters")].sum()) / total,
        "sentence_length": total / sentences,
        "ttr": _mean(c["types"] / np.maximum(words, 1.0), words),
        "question_rate": float(own[:, at("questions")].sum()) / sentences,
        "exclamation_rate": float(own[:, at("exclamations")].sum()) / sentences,
        "words_s": float(words[timed].sum() / c["seconds"][timed].sum()) if timed.any() else float("nan"),
        "delay": float(np.median(delays)) if len(delays) else float("nan"),
        "turn_share": total / float(rows[:, at("words")].sum()),
        "valence": _mean(valence, words),
        "valence_low": float(known.min()) if len(known) else float("nan"),
        "valence_shift": _mean(valence - own[:, at("own_before")], words),
        "valence_reply": _mean(valence - own[:, at("valence_before")], words),
        "valence_others": _mean(own[:, at("valence_before")], words),
        "likeness": _mean(own[:, at("likeness")], words),
    }
    for name, column, *_ in _RATES:
        out[name] = float(own[:, at(column)].sum()) / total
    return out | {n: _mean(own[:, at(k)], words) for n, k in (("pos", "positive"), ("neg", "negative"), ("neu", "neutral"))}


EXTRACTOR = Text
