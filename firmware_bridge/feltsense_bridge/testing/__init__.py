"""Virtual sensors on a virtual radio, for your tests: real Bluetooth LE bytes, no hardware, no mocks.

``docs/virtual-sensors.md`` shows how. Needs ``pip install "feltsense[sim]"``.
"""

from __future__ import annotations

from importlib.util import find_spec

from feltsense.errors import MissingExtraError

if find_spec("bumble") is None or find_spec("bleak") is None:
    raise MissingExtraError("sim", "the virtual radio")

from feltsense_bridge.testing import profiles
from feltsense_bridge.testing.board import VirtualBoard
from feltsense_bridge.testing.gatt import VirtualGatt
from feltsense_bridge.testing.h10 import VirtualH10
from feltsense_bridge.testing.player import Playback
from feltsense_bridge.testing.polar import VirtualOH1, VirtualPolar360, VirtualVeritySense
from feltsense_bridge.testing.radio import START_NS, VirtualRadio
from feltsense_bridge.testing.strap import VirtualStrap

__all__ = [
    "START_NS",
    "Playback",
    "VirtualBoard",
    "VirtualGatt",
    "VirtualH10",
    "VirtualOH1",
    "VirtualPolar360",
    "VirtualRadio",
    "VirtualStrap",
    "VirtualVeritySense",
    "profiles",
]
