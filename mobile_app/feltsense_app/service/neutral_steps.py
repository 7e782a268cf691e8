"""The steps after the rest, taken in a thread while the window goes on: what comes of them goes to their presenter."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import TYPE_CHECKING, Any

from feltsense.errors import FeltsenseError
from feltsense_app.presenters.neutral import NeutralPresenter, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from feltsense.core.vector import FeatureVector
    from feltsense_app.platform import Phone
    from feltsense_app.presenters.neutral import Step
    from feltsense_app.service.estimator import Estimator
    from feltsense_app.service.neutral import Look
    from feltsense_app.service.shelf import Shelf

__all__ = ["NeutralSteps"]


class NeutralSteps:
    """Take steps.

    Parameters
    ----------
    phone : Phone
        Whose camera and microphone are used.
    start : callable
        Starts a task.
    estimator : Estimator
        Has the baseline that they are added to.
    shelf : Shelf
        Keeps it.
    done : callable
        Told when the page is done.
    """

    def __init__(
        self,
        phone: Phone,
        start: Callable[[Coroutine[Any, Any, None]], object],
        estimator: Estimator,
        shelf: Shelf,
        done: Callable[[], None],
    ) -> None:
        self._phone, self._start = phone, start
        self._estimator, self._shelf, self._done = estimator, shelf, done
        self._stopped = Event()
        self.presenter = NeutralPresenter(self._take, self.stop, self._finished)

    def rested(self) -> None:
        """The rest is over: the steps come."""
        self._shelf.keep(neutral=False)
        self._done()
        self.ask()

    def ask(self) -> None:
        """Show the steps that were agreed to."""
        consent = self._shelf.kept.consent
        self.presenter.begin(() if consent is None else steps(consent.granted))

    def stop(self) -> None:
        """Nothing of what is being taken is wanted any more."""
        self._stopped.set()

    def _take(self, step: Step) -> None:
        self._stopped = Event()
        self._start(self._taken(step, self._stopped))

    def _finished(self) -> None:
        self._shelf.keep(neutral=True)
        self._done()

    def _learned(self, vector: FeatureVector, step: Step) -> str:
        """Add it to the baseline; the key of the reason why not."""
        from feltsense.calibration import learn_neutral
        from feltsense_app.service.neutral import EACH_S

        if self._estimator.profile is None:
            return "wizard.again.learn"
        self._estimator.profile = learn_neutral(self._estimator.profile, vector, EACH_S[step])
        self._shelf.learned(self._estimator.profile)
        return ""

    async def _taken(self, step: Step, stopped: Event) -> None:
        # What measures is imported when it is first needed: the window is there before scipy is.
        from feltsense_app.service.neutral import measure

        loop, presenter = asyncio.get_running_loop(), self.presenter

        def tell(look: Look) -> None:
            if not stopped.is_set():
                presenter.looked(*look)

        def heard(look: Look) -> None:
            loop.call_soon_threadsafe(tell, look)

        try:
            vector, reason = await asyncio.to_thread(measure, self._phone, step, heard, stopped.is_set)
        except (FeltsenseError, OSError) as error:
            if not stopped.is_set():
                presenter.nothing(str(error))
            return
        if not stopped.is_set():
            if vector is not None and not reason:
                reason = self._learned(vector, step)
            presenter.taken(reason)
