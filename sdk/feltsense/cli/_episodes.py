"""The table of ``feltsense predict --episodes``, and the lines that sum it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from feltsense.core.timeline import NS
from feltsense.fusion.episodes import Episodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feltsense.bundle.schema import Model
    from feltsense.core.prediction import Prediction
    from feltsense.fusion.episodes import Episode

__all__ = ["COLUMNS", "EpisodeTable"]

COLUMNS = (
    "target", "state", "onset_s", "peak_s", "end_s", "onset_unix", "peak_unix", "end_unix", "p_peak", "p_mean",
    "answered_s", "bridged_s", "onset_seen", "end_seen", "told_s",
)


class Rows(Protocol):
    """What takes the rows, and puts the table in its place or takes it away."""

    def add(self, cells: Sequence[str]) -> None:
        """Add a row."""

    def close(self, *, whole: bool) -> None:
        """No more rows."""


class EpisodeTable:
    """Follows the model's classes: of two the one that is decided about (the other is its absence), of more each."""

    def __init__(self, model: Model, hop_s: float, start_ns: int, table: Rows) -> None:
        states = model.classes if len(model.classes) > 2 else (model.decision,)
        self._episodes = Episodes(states, hop_s)
        self._start, self._table = start_ns, table

    def push(self, prediction: Prediction) -> None:
        """Take the next window."""
        self._write(self._episodes.push(prediction))

    def finish(self) -> None:
        """Write what is still open."""
        self._write(self._episodes.finish())

    def close(self, *, whole: bool) -> None:
        """Close the table."""
        self._table.close(whole=whole)

    def lines(self) -> list[str]:
        """What the session comes to, a sentence for each state."""
        return [
            f"{s.episodes} episodes of {s.state}, {s.share:.0%} of {s.answered_s / 60:.1f} answered minutes, the longest "
            f"{s.longest_s / 60:.1f} minutes; {s.brief} too brief to list"
            if s.episodes
            else f"no episode of {s.state} in {s.answered_s / 60:.1f} answered minutes; {s.brief} too brief to list"
            for s in self._episodes.summary()
        ]

    def _write(self, episodes: Sequence[Episode]) -> None:
        for e in episodes:
            times = (e.onset_ns, e.peak_ns, e.end_ns)
            self._table.add([
                e.target, e.state,
                *(repr((t - self._start) / NS) for t in times), *(f"{t // NS}.{t % NS:09d}" for t in times),
                *(repr(float(x)) for x in (e.peak, e.mean, e.answered_s, e.bridged_s)),
                "true" if e.onset_seen else "false", "true" if e.end_seen else "false", repr((e.told_ns - self._start) / NS),
            ])
