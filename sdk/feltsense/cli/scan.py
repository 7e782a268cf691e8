"""``feltsense scan``: which sensors are in reach, and which of them can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.errors import InputError, LinkError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from feltsense_bridge.about import Information
    from feltsense_bridge.scan import Sighting

__all__ = ["add", "run"]

SECONDS = 5.0
"""Long enough for a sensor that advertises once a second, heard part of the time."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    p = commands.add_parser(
        "scan", help="see which sensors are in reach", description="Listen for sensors and say which can be recorded."
    )
    p.add_argument("--seconds", type=float, default=SECONDS, help="how long to listen (default: %(default)g)")
    p.add_argument("--all", action="store_true", help="also list devices that cannot be read")
    p.add_argument("--about", action="store_true", help="connect to each, and show battery, maker, model and firmware")
    p.add_argument("--virtual", action="store_true", help="on a virtual radio with virtual sensors: needs no hardware")
    p.set_defaults(run=run, speed=1.0, seed=1)


def run(args: argparse.Namespace) -> int:
    """Scan and list."""
    if not args.seconds > 0:
        msg = f"--seconds must be positive, got {args.seconds:g}"
        raise InputError(msg)
    import asyncio

    seen, told = asyncio.run(_scan(args))
    for text in _lines(seen, told, everything=args.all):
        print(text)
    return 0


async def _scan(args: argparse.Namespace) -> tuple[list[Sighting], dict[str, str]]:
    """What was seen, and address → what the sensor says of itself."""
    from feltsense.cli._sensors import on_the_air
    from feltsense_bridge.about import about
    from feltsense_bridge.link_connection import bleak_client

    async with on_the_air(args) as air:
        seen = await air.scan(args.seconds)
        told: dict[str, str] = {}
        factory = bleak_client(None if air.radio is None else air.radio.client) if args.about else None
        for s in seen:
            if factory is None or s.model is None:
                continue
            address = s.advertisement.address
            try:
                told[address] = _told(await about(address, factory, s.advertisement.name))
            except LinkError as error:
                told[address] = str(error)
        return seen, told


def _told(said: Information) -> str:
    """A sensor's own words, as far as it has any."""
    battery = "" if said.battery is None else f"battery {said.battery} %"
    firmware = said.firmware and f"firmware {said.firmware}"
    serial = said.serial and f"serial number {said.serial}"
    return ", ".join(filter(None, (battery, said.maker, said.model, firmware, serial))) or "says nothing of itself"


def _lines(seen: Sequence[Sighting], told: Mapping[str, str], *, everything: bool) -> list[str]:
    known = [s for s in seen if s.model is not None]
    others = [s for s in seen if s.model is None]
    shown = [*known, *others] if everything else known
    width = max((len(s.advertisement.name) for s in shown), default=0)
    out = [
        f"{s.model or '-':<12} {s.advertisement.name or '-':<{width}}  {s.advertisement.address}  {s.advertisement.rssi} dBm"
        for s in shown
    ]
    named = {s.advertisement.address: s.advertisement.name or s.advertisement.address for s in known}
    out += [f"{named[address]}: {words}" for address, words in told.items()]
    if not known:
        out.append("No sensor that can be read: wear it or wake it, bring it nearer, disconnect it from other phones.")
    if others and not everything:
        out.append(f"and {len(others)} that cannot be read (--all lists them)")
    if known:
        name = known[0].advertisement.name or known[0].advertisement.address
        out.append(f'Next: feltsense record --device "{name}" --out me.felt')
    return out
