"""One file per device, sans-io; each names its class in ``DEVICE`` and is found by its module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.core import registry

if TYPE_CHECKING:
    from feltsense_bridge.device import Advertisement, Device

__all__ = ["device", "identify", "models"]

_GENERAL = frozenset({"heart_rate", "health_thermometer", "environment"})
"""Models that any maker's sensor with a standard service is."""


def models() -> tuple[str, ...]:
    """Names of all models that can be read."""
    return registry.names(__name__)


def device(model: str) -> type[Device]:
    """The device class of a model.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    found: type[Device] = registry.discover(__name__, "DEVICE", "device", model)
    return found


def identify(advertisement: Advertisement) -> str | None:
    """Model of an advertised device; the most specific match, None if nobody knows it."""
    matches = [m for m in models() if device(m).matches(advertisement)]
    # A Polar H10 also advertises the Heart Rate service that a plain strap has: specific models win.
    specific = [m for m in matches if m not in _GENERAL]
    return next(iter(specific or matches), None)
