"""Pairing: a place for each sensor that the study needs, red until a sensor fills it.

Rules
-----
- A place is filled by itself when one sensor of its model is in reach. When a second one shows up the place is empty
  again and the person chooses: it might be somebody else's.
- A sensor of another model is shown as seen and not used, so that nobody wonders why nothing happens.
- A sensor that is no longer seen keeps its place: it may have fallen asleep, and the link will find it.
- Starting needs every required place filled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from feltsense_app.presenters.base import Presenter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PairPresenter", "PairState", "Place", "Seen"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A sensor in reach.

    Attributes
    ----------
    address, name : str
        Of the sensor.
    model : str or None
        None: none that can be read.
    """

    address: str
    name: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """What one sensor is needed for.

    Attributes
    ----------
    model : str
        Which sensors fit.
    required : bool
        Whether the study cannot start without it.
    sensor : Seen or None
        Who fills it.
    choices : tuple of Seen
        Sensors among which the person has to choose; empty while that is clear.
    by_hand : bool
        Whether the person chose it.
    """

    model: str
    required: bool = True
    sensor: Seen | None = None
    choices: tuple[Seen, ...] = ()
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class PairState:
    """What the pairing screen shows.

    Attributes
    ----------
    places : tuple of Place
        In the study's order.
    others : tuple of Seen
        Sensors in reach that the study does not use.
    scanning : bool
        Whether the radio listens.
    trouble : str
        Why it does not, in words for a person; empty when all is well.
    """

    places: tuple[Place, ...]
    others: tuple[Seen, ...] = ()
    scanning: bool = False
    trouble: str = ""

    @property
    def ready(self) -> bool:
        """Whether recording can start."""
        return any(p.sensor for p in self.places) and all(p.sensor or not p.required for p in self.places)


class PairPresenter(Presenter[PairState]):
    """Pair sensors.

    Parameters
    ----------
    places : sequence of Place
        What the study needs.
    scan : callable
        Called to start listening; what is seen comes to :meth:`saw`, its end to :meth:`scanned`.
    paired : callable
        Told the sensors when the person goes on.
    """

    def __init__(
        self, places: Sequence[Place], scan: Callable[[], None], paired: Callable[[tuple[Seen, ...]], None]
    ) -> None:
        super().__init__(PairState(tuple(places)))
        self._scan, self._paired = scan, paired
        self._reach: dict[str, Seen] = {}

    def start(self) -> None:
        """Listen; twice is once."""
        if not self.state.scanning:
            self._reach.clear()
            self._set(scanning=True, trouble="")
            self._scan()

    def saw(self, seen: Sequence[Seen]) -> None:
        """Sensors that were heard; may come again and again."""
        self._reach |= {s.address: s for s in seen}
        self._set(places=self._filled())
        self._set(others=self._others())

    def scanned(self, trouble: str = "") -> None:
        """Listening has ended; `trouble` says why it failed."""
        self._set(scanning=False, trouble=trouble)

    def choose(self, model: str, address: str) -> None:
        """Take this one for the place of a model."""
        sensor = self._reach.get(address)
        if sensor is None or sensor.model != model:
            return
        self._fill(model, sensor, by_hand=True)
        self._set(others=self._others())

    def forget(self, model: str) -> None:
        """Empty a place and listen again."""
        self._fill(model, None, by_hand=False)
        self.start()

    def go_on(self) -> bool:
        """Leave the screen with what was paired; False while a required place is empty."""
        if self.state.ready:
            self._paired(tuple(p.sensor for p in self.state.places if p.sensor is not None))
        return self.state.ready

    def _fill(self, model: str, sensor: Seen | None, *, by_hand: bool) -> None:
        filled = Place(model, sensor=sensor, by_hand=by_hand)
        places = self.state.places
        self._set(places=tuple(replace(filled, required=p.required) if p.model == model else p for p in places))

    def _filled(self) -> tuple[Place, ...]:
        out = []
        for place in self.state.places:
            fitting = tuple(s for s in self._reach.values() if s.model == place.model)
            if place.by_hand or not fitting:
                out.append(place)
            elif len(fitting) == 1:
                out.append(replace(place, sensor=fitting[0], choices=()))
            else:
                out.append(replace(place, sensor=None, choices=fitting))
        return tuple(out)

    def _others(self) -> tuple[Seen, ...]:
        wanted = {p.model for p in self.state.places}
        taken = {p.sensor.address for p in self.state.places if p.sensor is not None}
        choices = {s.address for p in self.state.places for s in p.choices}
        return tuple(s for s in self._reach.values() if s.model not in wanted or s.address not in taken | choices)
