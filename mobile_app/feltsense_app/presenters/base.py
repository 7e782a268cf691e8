"""What every presenter is: a frozen state, and somebody who is told when it changes.

A presenter never waits, reads no clock of its own and opens no file: what it needs is given to it, what it wants done
is a call to what it was given. So each is tested without a window, a radio or a phone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Presenter"]

S = TypeVar("S")


class Presenter(Generic[S]):
    """A state that can be watched.

    Parameters
    ----------
    state : frozen dataclass
        What is shown first.
    """

    def __init__(self, state: S) -> None:
        self._state = state
        self._watchers: list[Callable[[S], None]] = []

    @property
    def state(self) -> S:
        """What is to be shown now."""
        return self._state

    def watch(self, watcher: Callable[[S], None]) -> Callable[[], None]:
        """Tell `watcher` the state, now and whenever it changes; call the result to stop."""
        self._watchers.append(watcher)
        watcher(self._state)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def _set(self, **changes: Any) -> None:
        """Change the state; nobody is told of a change that is none."""
        new = replace(self._state, **changes)  # type: ignore[type-var]
        if new != self._state:
            self._state = new
            for watcher in tuple(self._watchers):
                watcher(new)
