"""Surroundings: light, sound level, temperature and humidity of the room.

They explain what a body does (heat, cold, noise wake the skin too) and belong beside it. Contract:
:mod:`feltsense.core.extractor`. Room sensors report when they like, some only on a change; a window looks at the readings
in it. Any one of the four kinds will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from feltsense.core.timeline import NS
from feltsense.core.vector import Extracted, FeatureSpec, Reason
from feltsense.core.window import StreamTail
from feltsense.features._gate import collect
from feltsense.quality.environment import possible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feltsense.core.chunk import Chunk, StreamInfo
    from feltsense.core.window import Window

    Array = NDArray[np.float64]

__all__ = ["EXTRACTOR", "Environment"]

_OWN = "this library"
_IEC = "IEC 61672-1 (time-average level)"
DARK_LX = 10.0
"""A room lit by a screen alone has less."""
_SLOPE_S = 60.0
_LEAST_SLOPE = 3
"""Readings that a slope needs."""
_NEVER = -(2**62)
_PREFIX = {"illuminance": "light", "sound_level": "sound", "air_temperature": "temperature", "humidity": "humidity"}


class Environment:
    """Features of the streams of one room sensor."""

    requires: ClassVar[str] = "illuminance"
    instead: ClassVar[tuple[str, ...]] = ("sound_level", "air_temperature", "humidity")
    uses: ClassVar[tuple[str, ...]] = ("illuminance", "sound_level", "air_temperature", "humidity")
    specs: ClassVar[tuple[FeatureSpec, ...]] = (
        FeatureSpec("light_mean", "lx", "Mean illuminance", _OWN),
        FeatureSpec("light_log", "1", "Mean of log10(1 + lx): brightness as it is felt", _OWN),
        FeatureSpec("light_dark_frac", "1", "Share of readings below 10 lx", _OWN),
        FeatureSpec("sound_level", "dB", "10·log10 of the mean of 10^(level/10)", _IEC),
        FeatureSpec("sound_max", "dB", "Highest level", _OWN),
        FeatureSpec("sound_sd", "dB", "Standard deviation of the level", _OWN),
        FeatureSpec("temperature_mean", "degC", "Mean temperature of the air", _OWN),
        FeatureSpec("temperature_slope", "degC/min", "Least-squares slope, of three readings or more", _OWN, _SLOPE_S),
        FeatureSpec("humidity_mean", "%", "Mean relative humidity", _OWN),
    )

    def __init__(self, streams: Mapping[str, StreamInfo]) -> None:
        self._tails = {kind: StreamTail(info) for kind, info in streams.items() if kind in _PREFIX}
        self._by_id = {info.id: kind for kind, info in streams.items()}
        self._final = {info.id: _NEVER for info in streams.values()}

    def push(self, chunk: Chunk) -> None:
        """Take the next readings of one of its streams."""
        if len(chunk):
            self._tails[self._by_id[chunk.stream.id]].push(chunk)
            self._final[chunk.stream.id] = chunk.stop_ns

    def close(self, stream_id: str) -> None:
        """End the segment: nothing is carried across anyway."""

    def final_ns(self, stream_id: str) -> int:
        """All that came is final: a window looks at its own readings only."""
        return self._final[stream_id]

    def forget(self, before_ns: int) -> None:
        """Drop what no window from a time on needs."""
        for tail in self._tails.values():
            tail.forget(before_ns)

    def features(self, window: Window) -> Extracted:
        """Features of a window that is final."""
        values = dict.fromkeys((s.name for s in self.specs), float("nan"))
        reasons = {s.name: Reason.NO_SIGNAL for s in self.specs}
        came = usable = 0
        for kind, tail in self._tails.items():
            t_ns, columns = tail.between(window.start_ns, window.stop_ns)
            good = possible(tail.info.spec.kind, columns[:, 0])
            came, usable = came + len(good), usable + int(good.sum())
            found = _READ[kind](t_ns[good], np.ascontiguousarray(columns[good, 0])) if good.any() else {}
            why = Reason.NONE_FOUND if good.any() else Reason.ARTEFACT if len(good) else Reason.NO_SIGNAL
            for spec in self.specs:
                if spec.name.startswith(_PREFIX[kind]):
                    values[spec.name] = found.get(spec.name, float("nan"))
                    reasons[spec.name] = Reason.OK if np.isfinite(values[spec.name]) else why
        for spec in self.specs:
            if window.seconds < spec.min_seconds:
                reasons[spec.name] = Reason.TOO_SHORT
        if not came:
            return Extracted.nothing(len(self.specs), Reason.NO_SIGNAL)
        share = usable / came
        return collect(self.specs, values, reasons, (share, Reason.OK if share == 1.0 else Reason.ARTEFACT))


def _light(t_ns: NDArray[np.int64], x: Array) -> dict[str, float]:
    dark = float((x < DARK_LX).mean())
    return {"light_mean": float(x.mean()), "light_log": float(np.log10(1.0 + x).mean()), "light_dark_frac": dark}


def _sound(t_ns: NDArray[np.int64], x: Array) -> dict[str, float]:
    level = 10.0 * float(np.log10(np.mean(10.0 ** (x / 10.0))))
    return {"sound_level": level, "sound_max": float(x.max()), "sound_sd": float(x.std())}


def _temperature(t_ns: NDArray[np.int64], x: Array) -> dict[str, float]:
    out = {"temperature_mean": float(x.mean())}
    minutes = (t_ns - t_ns[0]) / (60 * NS)
    minutes = minutes - minutes.mean()
    spread = float(np.sum(minutes * minutes))
    if len(x) >= _LEAST_SLOPE and spread > 0.0:
        out["temperature_slope"] = float(np.sum(minutes * (x - x.mean()))) / spread
    return out


def _humidity(t_ns: NDArray[np.int64], x: Array) -> dict[str, float]:
    return {"humidity_mean": float(x.mean())}


_READ = {"illuminance": _light, "sound_level": _sound, "air_temperature": _temperature, "humidity": _humidity}

EXTRACTOR = Environment
