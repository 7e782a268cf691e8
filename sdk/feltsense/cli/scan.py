"""``feltsense scan``: which sensors are in reach, and which of them can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

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
    p.add_argument("--virtual", action="store_true", help="on a virtual radio with virtual sensors: needs no hardware")
    p.set_defaults(run=run, speed=1.0, seed=1)


def run(args: argparse.Namespace) -> int:
    """Scan and list."""
    if not args.seconds > 0:
        msg = f"--seconds must be positive, got {args.seconds:g}"
        raise InputError(msg)
    import asyncio

    seen = asyncio.run(_scan(args))
    for text in _lines(seen, everything=args.all):
        print(text)
    return 0


async def _scan(args: argparse.Namespace) -> list[Sighting]:
    from feltsense.cli._sensors import on_the_air

    async with on_the_air(args) as air:
        return await air.scan(args.seconds)


def _lines(seen: Sequence[Sighting], *, everything: bool) -> list[str]:
    known = [s for s in seen if s.model is not None]
    others = [s for s in seen if s.model is None]
    shown = [*known, *others] if everything else known
    width = max((len(s.advertisement.name) for s in shown), default=0)
    out = [
        f"{s.model or '-':<12} {s.advertisement.name or '-':<{width}}  {s.advertisement.address}  {s.advertisement.rssi} dBm"
        for s in shown
    ]
    if not known:
        out.append("No sensor that can be read: wear it or wake it, bring it nearer, disconnect it from other phones.")
    if others and not everything:
        out.append(f"and {len(others)} that cannot be read (--all lists them)")
    if known:
        name = known[0].advertisement.name or known[0].advertisement.address
        out.append(f'Next: feltsense record --device "{name}" --out me.felt')
    return out
