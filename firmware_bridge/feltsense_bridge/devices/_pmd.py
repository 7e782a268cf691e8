"""Polar Measurement Data (PMD) on the wire, in one place: control point, settings, frames.

The parts: :mod:`feltsense_bridge.devices._pmd_control` (commands and answers),
:mod:`feltsense_bridge.devices._pmd_frames` (frames of every measurement) and
:mod:`feltsense_bridge.devices._pmd_delta` (how frames are compressed).
"""

from __future__ import annotations

from feltsense_bridge.devices._gatt import EPOCH_2000_NS
from feltsense_bridge.devices._pmd_control import (
    CONTROL,
    DATA,
    FEATURES,
    RESPONSE,
    SERVICE,
    STOPPED,
    Command,
    Measurement,
    PmdError,
    PmdReply,
    Setting,
    Settings,
    command,
    decode_factor,
    decode_features,
    decode_sdk_status,
    decode_settings,
    decode_status,
    encode_factor,
    encode_features,
    encode_sdk_mode,
    encode_settings,
    encode_status,
)
from feltsense_bridge.devices._pmd_frames import FRAME_HEAD, PmdFrame

__all__ = [
    "CONTROL",
    "DATA",
    "EPOCH_2000_NS",
    "FEATURES",
    "FRAME_HEAD",
    "RESPONSE",
    "SERVICE",
    "STOPPED",
    "Command",
    "Measurement",
    "PmdError",
    "PmdFrame",
    "PmdReply",
    "Setting",
    "Settings",
    "command",
    "decode_factor",
    "decode_features",
    "decode_sdk_status",
    "decode_settings",
    "decode_status",
    "encode_factor",
    "encode_features",
    "encode_sdk_mode",
    "encode_settings",
    "encode_status",
]
