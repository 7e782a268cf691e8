"""A progress line on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["progress"]

T = TypeVar("T")
_BAR = 28
_EVERY_S = 0.1


def progress(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yield `items` and draw how far along they are.

    Parameters
    ----------
    items : iterable
        What is worked through.
    total : int
        How many there are.
    label : str
        What is being done.
    """
    live = sys.stderr.isatty() and total > 1
    begun = drawn = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if live and (now - drawn > _EVERY_S or done == total):
            drawn = now
            left = (now - begun) / done * (total - done)
            full = _BAR * done // max(total, 1)
            sys.stderr.write(f"\r{label} [{'#' * full}{'.' * (_BAR - full)}] {done}/{total}  {left:4.0f} s left ")
            sys.stderr.flush()
    if live:
        sys.stderr.write("\r\x1b[K")
