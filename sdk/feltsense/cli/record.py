"""``feltsense record``: sensors to a recording file, until it is long enough or Ctrl-C.

Rules
-----
- Everything that came is committed every second: a crash loses at most so much.
- With ``--encrypt`` nothing is written before the file is seen to be encrypted.
- Ctrl-C is the ordinary end: streams stopped, file closed, account printed, exit code 0.
- What happens to the link is said as it happens, one line each; a status line is redrawn on a terminal only.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from feltsense.errors import InputError, LinkError

if TYPE_CHECKING:
    import argparse
    import asyncio
    from collections.abc import Awaitable, Mapping, Sequence

    from feltsense.cli._sensors import Air
    from feltsense.core.event import Event
    from feltsense.store import DataKey, Writer
    from feltsense_bridge.accounting import Counters
    from feltsense_bridge.capture import CaptureWriter
    from feltsense_bridge.live import Live

__all__ = ["add", "run"]

COMMIT_S = 1.0
"""Seconds between commits: at most so much is lost if the machine goes down."""
DRAW_S = 0.5
"""Seconds between two status lines."""
SCAN_S = 10.0
"""Seconds to find the sensors."""
NS = 1e9


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    from feltsense.cli._keys import add_encrypt

    p = commands.add_parser(
        "record",
        help="record sensors to a file",
        description="Record sensors to a file until Ctrl-C. Every sample is in the file or counted as missing.",
    )
    p.add_argument("--out", type=Path, required=True, metavar="REC.felt", help="file to write; it must not exist")
    p.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="NAME",
        help="name or address, as `feltsense scan` shows it; may be repeated (default: every sensor in reach)",
    )
    p.add_argument(
        "--lsl",
        action="append",
        default=[],
        metavar="NAME=SIGNAL",
        help="also a stream of the Lab Streaming Layer by its name, and what it is: strap=ecg; *0.001 behind it makes mV "
        "of µV, @1 takes its second channel only; may be repeated; sensors are then sought only if named",
    )
    p.add_argument(
        "--sdk-mode",
        nargs="*",
        metavar="STREAM=HZ",
        help="switch a Polar Verity Sense to SDK mode: other rates (ppg=176 acc=104), no heart rate and no intervals",
    )
    p.add_argument("--seconds", type=float, metavar="S", help="stop after so many seconds (default: at Ctrl-C)")
    p.add_argument("--subject", default="anonymous", metavar="NAME", help="pseudonym (default: %(default)s)")
    p.add_argument(
        "--capture",
        type=Path,
        metavar="FILE",
        help="also keep every byte that comes, for a bug report; it must not exist (play it with: feltsense replay FILE)",
    )
    p.add_argument("--virtual", action="store_true", help="virtual sensors on a synthetic person: needs no hardware")
    p.add_argument("--speed", type=float, default=1.0, metavar="X", help="with --virtual: times real time")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="with --virtual: which person (default: %(default)s)")
    add_encrypt(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record."""
    if not args.speed > 0 or (args.seconds is not None and not args.seconds > 0):
        msg = "--speed and --seconds must be positive"
        raise InputError(msg)
    if args.speed != 1.0 and not args.virtual:
        msg = "--speed is for virtual sensors: add --virtual"
        raise InputError(msg)
    if args.lsl and args.virtual:
        msg = "--lsl and --virtual have two clocks: record one of them"
        raise InputError(msg)
    for path in (args.out, args.capture):
        if path is not None and path.exists():
            msg = f"{path} exists already: give another name"
            raise InputError(msg)
    if args.encrypt and args.capture is not None:
        msg = "--capture keeps what the sensors send as it is, readable for anybody: leave it or --encrypt out"
        raise InputError(msg)
    import asyncio

    from feltsense.cli._keys import sealing_key

    counters = asyncio.run(_record(args, sealing_key(args, args.subject)))
    if not sum(c.received for c in counters.values()):
        args.out.unlink(missing_ok=True)
        msg = "nothing was received: is the sensor worn and switched on?"
        raise LinkError(msg)
    for text in account(counters):
        print(text)
    print(f"{args.out}  (look at it with: feltsense info {args.out})")
    return 0


def account(counters: Mapping[str, Counters]) -> list[str]:
    """What became of each stream's samples, a line each."""
    width = max(map(len, counters))
    out = []
    for name, c in sorted(counters.items()):
        missing = f"{c.missing}" if c.missing == c.missing_upper else f"{c.missing} to {c.missing_upper}"
        extra = "".join(f", {n} {what}" for n, what in ((c.duplicates, "doubled"), (c.late, "late")) if n)
        gaps = "1 gap" if c.gaps == 1 else f"{c.gaps} gaps"
        out.append(f"{name:<{width}}  received {c.received:>8}  missing {missing:>6}  {gaps}{extra}")
    return out


def _rates(asked: Sequence[str] | None) -> dict[str, int] | None:
    """Rates by stream of ``--sdk-mode``; None where it is not asked for."""
    out = {}
    for text in asked or ():
        name, _, hz = text.partition("=")
        if not name or not hz.isdecimal():
            msg = f"--sdk-mode {text!r}: write a stream and its rate in Hz, for example ppg=176"
            raise InputError(msg)
        out[name] = int(hz)
    return None if asked is None else out


async def _record(args: argparse.Namespace, key: DataKey | None) -> Mapping[str, Counters]:
    import asyncio
    from contextlib import ExitStack

    from feltsense.cli._sensors import choose, links, on_the_air, outlets
    from feltsense.store import Writer
    from feltsense_bridge.capture import CaptureWriter
    from feltsense_bridge.live import Live

    stop = asyncio.Event()
    with _ctrl_c(stop), ExitStack() as stack:
        async with on_the_air(args) as air:
            outside = outlets(air, args.lsl)
            seeks = bool(args.device) or not outside
            found = choose(await air.scan(SCAN_S, args.device), args.device) if seeks else []
            about = {"recorder": "feltsense record" + (", virtual sensors" if args.virtual else "")}
            about |= {f"sensor.{k}": s.advertisement.name or str(s.model) for k, s in enumerate(found, 1)}
            air.leave_out(found)
            screen = _Status(sys.stderr)
            names = [*(s.advertisement.name or s.advertisement.address for s in found), *args.lsl]
            screen.say(f"Connecting to {', '.join(names)} …")
            capture = stack.enter_context(CaptureWriter(args.capture)) if args.capture is not None else None
            live = Live(links(air, found, capture, _rates(args.sdk_mode)), outside)
            async with live:
                if not await _opened(live, stop):
                    return live.counters
                with Writer(args.out, args.subject, about, key) as writer:
                    begun = asyncio.Event()
                    reasons: list[Awaitable[object]] = [stop.wait(), air.finished(found)]
                    if args.seconds is not None:
                        reasons.append(_after(begun, air, args.seconds))
                    ending = asyncio.create_task(_end(live, reasons))
                    keeping = asyncio.create_task(_keep(writer, capture))
                    try:
                        last_ns = await _listen(live, writer, screen, begun)
                    finally:
                        ending.cancel()
                        keeping.cancel()
                    for event in air.protocol(last_ns):
                        writer.event(event)
            return live.counters


class _ctrl_c:  # noqa: N801 (used like a function)
    """While it holds, Ctrl-C sets an event instead of raising."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def __enter__(self) -> None:
        import asyncio
        import signal

        loop = asyncio.get_running_loop()

        def asked(*_: object) -> None:
            loop.call_soon_threadsafe(self._stop.set)
            # Who presses it twice means it.
            signal.signal(signal.SIGINT, self._old)

        self._old = signal.signal(signal.SIGINT, asked)

    def __exit__(self, *_: object) -> None:
        import signal

        signal.signal(signal.SIGINT, self._old)


async def _opened(live: Live, stop: asyncio.Event) -> bool:
    """Whether every sensor streams, before Ctrl-C."""
    import asyncio

    opening, stopping = asyncio.create_task(live.opened()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([opening, stopping], return_when=asyncio.FIRST_COMPLETED)
        if opening.done():
            opening.result()
        return opening.done()
    finally:
        for task in (opening, stopping):
            task.cancel()
        await asyncio.wait([opening, stopping])


async def _after(begun: asyncio.Event, air: Air, seconds: float) -> None:
    await begun.wait()
    await air.sleep(seconds)


async def _keep(writer: Writer, capture: CaptureWriter | None) -> None:
    """Commit every second, whether or not anything comes."""
    import asyncio

    while True:
        await asyncio.sleep(COMMIT_S)
        writer.commit()
        if capture is not None:
            capture.flush()


async def _end(live: Live, reasons: Sequence[Awaitable[object]]) -> None:
    """Close the links at the first reason to; what was received is still written."""
    import asyncio

    tasks = [asyncio.ensure_future(r) for r in reasons]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    await live.close()


async def _listen(live: Live, writer: Writer, screen: _Status, begun: asyncio.Event) -> int:
    """Write what comes until the links are closed; gives the session time at which it ends."""
    from feltsense.core.chunk import Chunk

    drawn = time.monotonic()
    declared: set[str] = set()
    start_ns: int | None = None
    last_ns = 0
    async for item in live:
        if isinstance(item, Chunk):
            begun.set()
            start_ns = item.start_ns if start_ns is None else start_ns
            last_ns = max(last_ns, item.stop_ns)
            if item.stream.id not in declared:
                writer.declare(item.stream)
                declared.add(item.stream.id)
            writer.append(item)
        else:
            writer.event(item)
            screen.tell(item, start_ns)
        now = time.monotonic()
        if now - drawn >= DRAW_S and start_ns is not None:
            screen.draw((last_ns - start_ns) / NS, live.counters)
            drawn = now
    screen.clear()
    return last_ns


class _Status:
    """Lines that stay, and one that is redrawn."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._live = out.isatty()

    def say(self, text: str) -> None:
        self.clear()
        self._out.write(f"{text}\n")
        self._out.flush()

    def clear(self) -> None:
        if self._live:
            self._out.write("\r\x1b[K")

    def tell(self, event: Event, start_ns: int | None) -> None:
        words: dict[str, str] = {
            "connected": "connected",
            "disconnected": "connection lost, trying again",
            "stalled": "no data",
            "clock_reset": "its clock started anew",
        }
        if event.kind in words:
            at = "" if start_ns is None else f"{(event.t_ns - start_ns) / NS:7.1f} s  "
            self.say(f"{at}{event.text}: {words[event.kind]}")

    def draw(self, at_s: float, counters: Mapping[str, Counters]) -> None:
        if not self._live:
            return
        import shutil

        streams: Sequence[str] = [
            f"{name} {c.received}" + (f" (-{c.missing})" if c.missing else "") for name, c in sorted(counters.items())
        ]
        text = f"{int(at_s) // 60:3d}:{int(at_s) % 60:02d}  {'  '.join(streams)}"
        self._out.write("\r\x1b[K" + text[: shutil.get_terminal_size().columns - 1])
        self._out.flush()
