"""GATT attributes that refuse what their properties do not allow.

Bumble's server does not check permissions: a write to a value that cannot be written would be an exception inside it
and no answer at all, so that the host waits 30 s. A real sensor answers with an ATT error, and so do these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bumble import att
from bumble.gatt import Characteristic, CharacteristicValue, Service

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["about", "battery", "characteristic", "constant"]

_BATTERY, _LEVEL = "180F", "2A19"
_ABOUT, _MAKER, _MODEL, _SERIAL = "180A", "2A29", "2A24", "2A25"


def _no_read(_connection: Any) -> bytes:
    raise att.ATT_Error(att.ATT_READ_NOT_PERMITTED_ERROR)


def _no_write(_connection: Any, _data: bytes) -> None:
    raise att.ATT_Error(att.ATT_WRITE_NOT_PERMITTED_ERROR)


def constant(value: bytes) -> Callable[[Any], bytes]:
    """A read that always gives `value`."""
    return lambda _connection: value


def characteristic(
    uuid: str,
    *,
    read: Callable[[Any], bytes] | None = None,
    write: Callable[[Any, bytes], None] | None = None,
    notify: bool = False,
    indicate: bool = False,
) -> Any:
    """A characteristic with the properties that follow from what is given."""
    kinds, rights = Characteristic.Properties, Characteristic.Permissions(0)
    properties = kinds(0)
    for given, bit in ((read, kinds.READ), (write, kinds.WRITE), (notify, kinds.NOTIFY), (indicate, kinds.INDICATE)):
        properties |= bit if given else kinds(0)
    rights |= Characteristic.READABLE if read else rights
    rights |= Characteristic.WRITEABLE if write else rights
    return Characteristic(uuid, properties, rights, CharacteristicValue(read=read or _no_read, write=write or _no_write))


def battery(level: Callable[[], int]) -> Any:
    """Battery service."""
    return Service(_BATTERY, [characteristic(_LEVEL, read=lambda _: bytes([level()]))])


def about(maker: str, model: str, serial: str) -> Any:
    """Device Information service."""
    rows = ((_MAKER, maker), (_MODEL, model), (_SERIAL, serial))
    return Service(_ABOUT, [characteristic(uuid, read=constant(text.encode())) for uuid, text in rows])
