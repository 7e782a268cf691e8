"""What can go wrong between a sensor and its host, each with what the person should do.

::

    LinkError                     (feltsense.errors)
    ├── AdapterError              this machine's Bluetooth is off, absent or forbidden
    ├── NotFoundError             the sensor is not in range, asleep, or connected to something else
    │   └── UnknownSensorError    nothing in reach has the name or address that was asked for (also an InputError)
    ├── WrongDeviceError          what answers there is another kind of sensor
    │   └── ChangedDeviceError    its streams are no longer what they were when the session began
    ├── RefusedError              the sensor says no, and its reason
    ├── NoAnswerError             the sensor was asked and said nothing in time
    └── LostError                 the connection broke in the middle of something
"""

from __future__ import annotations

from importlib.util import find_spec

from feltsense.errors import InputError, LinkError, ProtocolError

__all__ = [
    "AdapterError",
    "ChangedDeviceError",
    "LostError",
    "NoAnswerError",
    "NotFoundError",
    "RefusedError",
    "UnknownSensorError",
    "WrongDeviceError",
    "explain",
    "lacks",
    "transport_errors",
]


class AdapterError(LinkError):
    """The machine's Bluetooth is off, absent or forbidden."""


class NotFoundError(LinkError):
    """The sensor could not be reached."""


class UnknownSensorError(NotFoundError, InputError):
    """Nothing in reach has the name or address that was asked for: perhaps a wrong name, so it is input, too."""


class WrongDeviceError(LinkError):
    """What answers is another kind of sensor, or has changed."""


class ChangedDeviceError(WrongDeviceError):
    """A stream of the device is no longer what it was: the session cannot go on."""


class RefusedError(LinkError):
    """The sensor refuses what was asked."""


class NoAnswerError(LinkError):
    """The sensor was asked and said nothing in time."""


class LostError(LinkError):
    """The connection broke."""


_ADAPTER = {
    "NO_BLUETOOTH": "this machine has no Bluetooth radio: plug in an adapter",
    "NO_BLE_CENTRAL_ROLE": "this machine's Bluetooth cannot do Bluetooth LE: use an adapter of version 4.0 or later",
    "POWERED_OFF": "Bluetooth is switched off: switch it on",
    "DENIED_BY_USER": "Bluetooth was not allowed: allow it for this program in the system's privacy settings",
    "DENIED_BY_SYSTEM": "the system's administrator forbids Bluetooth: ask them",
    "DENIED_BY_UNKNOWN": "Bluetooth is not allowed: see the system's privacy settings",
}


def transport_errors() -> tuple[type[Exception], ...]:
    """What a Bluetooth client raises when something is wrong with the radio or the device."""
    if find_spec("bleak") is None:
        return (OSError, EOFError)
    from bleak.exc import BleakError

    # TimeoutError is an OSError; a system bus that goes away is an EOFError.
    return (BleakError, OSError, EOFError)


def lacks(error: Exception) -> bool:
    """Whether a client's error says that the device has no such characteristic."""
    if find_spec("bleak") is None:
        return False
    from bleak.exc import BleakCharacteristicNotFoundError

    return isinstance(error, BleakCharacteristicNotFoundError)


def explain(error: Exception, who: str, doing: str) -> LinkError:
    """What a person should know of an error of a client, a dialogue or a scan.

    Parameters
    ----------
    error : Exception
        One of :func:`transport_errors`, or what a device's dialogue raises.
    who : str
        The device.
    doing : str
        What was being done, for example ``"connecting"``.
    """
    if type(error) is LinkError or isinstance(error, InputError):
        return RefusedError(f"{who}: {error}")
    if isinstance(error, LinkError):
        return error
    if isinstance(error, ProtocolError):
        return WrongDeviceError(f"{who} answers what its model does not: {error}; is it another model, or newer firmware?")
    known = _bleak(error, who, doing) if find_spec("bleak") is not None else None
    if known is not None:
        return known
    if isinstance(error, TimeoutError):
        return NotFoundError(f"{who} did not answer while {doing}: {_WHERE}")
    if isinstance(error, FileNotFoundError):
        return AdapterError("the system's Bluetooth service does not run: install and start it (Linux: bluez and dbus)")
    return LostError(f"{who}: the connection broke while {doing} ({error or type(error).__name__}); bring it nearer")


_WHERE = "wear it or wake it, bring it nearer, and disconnect it from other phones and programs"


def _bleak(error: Exception, who: str, doing: str) -> LinkError | None:
    from bleak import exc

    if isinstance(error, exc.BleakBluetoothNotAvailableError):
        reason = getattr(error.reason, "name", "")
        return AdapterError(_ADAPTER.get(reason, f"Bluetooth is not available ({error.args[0]}): switch it on"))
    if isinstance(error, exc.BleakDeviceNotFoundError):
        return NotFoundError(f"{who} was not found: {_WHERE}")
    if isinstance(error, exc.BleakCharacteristicNotFoundError):
        what = error.char_specifier
        return WrongDeviceError(f"{who} has no characteristic {what}: it is another model; `feltsense scan` shows which")
    if isinstance(error, exc.BleakGATTProtocolError):
        return RefusedError(f"{who} refused while {doing}: {error}; if it wants pairing, pair it in the settings")
    return None
