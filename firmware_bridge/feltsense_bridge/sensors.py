"""A person's sensors, each a link of its own: how their streams are called, and which of them carry a signal.

- Streams are called ``<prefix>.<stream>``: ``h10.ecg``, ``board.eda``; a second sensor of a model is ``h10-2``.
- Which streams a model has is told by itself; some tell it only once they are connected, and are listed here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from feltsense_bridge import devices
from feltsense_bridge.link import Link, LinkOptions
from feltsense_bridge.link_connection import bleak_client

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from feltsense_bridge.capture import CaptureWriter
    from feltsense_bridge.device import Device

__all__ = ["Sensor", "carrying", "links"]

_PREFIX: Final[Mapping[str, str]] = MappingProxyType({"polar_h10": "h10", "open_board": "board", "heart_rate": "strap"})
"""Model → prefix of its streams' ids; other models by their own name."""
_STREAMS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "open_board": {"ppg": "ppg", "eda": "eda", "temp": "skin_temperature", "acc": "acc"},
        "polar_360": {"ppg": "ppg", "acc": "acc", "temp": "skin_temperature"},
        "polar_h10": {"ecg": "ecg", "acc": "acc"},
        "polar_oh1": {"ppg": "ppg", "acc": "acc"},
        "polar_verity_sense": {"ppg": "ppg", "acc": "acc", "ppi": "rr"},
    }
)
"""Model → its own name of a stream → signal, for models that tell only once they are connected."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor that was chosen.

    Attributes
    ----------
    device : Device
        Its model, with the streams that are wanted.
    address : str
        What to connect to.
    label : str
        Its name, for people; default model and address.
    """

    device: Device
    address: str
    label: str = ""


def carrying(model: str, signals: Collection[str]) -> tuple[str, ...]:
    """A model's own names of its streams that carry one of the signals.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    """
    offered = _STREAMS.get(model) or {name: spec.name for name, spec in devices.device(model)().specs.items()}
    return tuple(name for name, signal in offered.items() if signal in signals)


def links(
    sensors: Sequence[Sensor],
    *,
    clock: Callable[[], int],
    client: Any = None,
    speed: float = 1.0,
    capture: CaptureWriter | None = None,
    patience: float = LinkOptions().patience,
) -> list[Link]:
    """A link to each, not opened yet.

    Parameters
    ----------
    sensors : sequence of Sensor
        In their order; of two of one model the second is ``<prefix>-2``.
    clock : callable
        Session time, Unix ns.
    client : class, optional
        Bleak backend, for example a virtual radio's ``client``; default the platform's.
    speed : float
        How many times faster than real time `clock` runs.
    capture : CaptureWriter, optional
        Keeps every byte that comes.
    patience : float
        Real seconds before the first success, see :class:`~feltsense_bridge.link.LinkOptions`.

    Raises
    ------
    MissingExtraError
        If Bleak is not installed.
    """
    factory = bleak_client(client)
    taken: Counter[str] = Counter()
    out = []
    for sensor in sensors:
        prefix = _PREFIX.get(sensor.device.model, sensor.device.model)
        taken[prefix] += 1
        name = prefix if taken[prefix] == 1 else f"{prefix}-{taken[prefix]}"
        tap = None if capture is None else capture.tap()
        options = LinkOptions(label=sensor.label, patience=patience, capture=tap)
        device = sensor.device
        out.append(
            Link(device, sensor.address, name=name, client_factory=factory, clock=clock, speed=speed, options=options)
        )
    return out
