"""The whole app without its window: presenters, recorder and what is kept, put together.

Rules
-----
- What a person did is kept before the next screen comes; a kill at any moment goes on where they were.
- After a start with everything done, recording goes on by itself, in the file that was being written. It also does
  when it ended by itself (a full phone, a file that is gone): tried again until it is paused or the study is left.
- Time-driven things (wizard, prompts) are ticked from one loop, :meth:`Conductor.run`.
- An error in a task ends nothing silently: it reaches home's sentence. Nor does a disk that is full when something
  small is kept: it is known meanwhile, and written with the next change.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from feltsense.core.event import Event, EventKind
from feltsense.errors import FeltsenseError
from feltsense.study import answer_events
from feltsense_app.presenters.consent import Consent, ConsentPresenter
from feltsense_app.presenters.flow import RECORDED, SIDE, FlowPresenter, Page, resume
from feltsense_app.presenters.home import NO_SPACE, HomePresenter, Level
from feltsense_app.presenters.join import JoinPresenter
from feltsense_app.presenters.leave import LeavePresenter
from feltsense_app.presenters.live import LivePresenter
from feltsense_app.presenters.markers import MarkersPresenter
from feltsense_app.presenters.pair import PairPresenter, Seen
from feltsense_app.presenters.permissions import PermissionsPresenter, needed
from feltsense_app.presenters.prompts import PromptsPresenter
from feltsense_app.presenters.results import ResultsPresenter
from feltsense_app.presenters.settings import SettingsPresenter
from feltsense_app.presenters.share import SharePresenter
from feltsense_app.presenters.wizard import REST_S, WizardPresenter
from feltsense_app.service.invite import INFERENCE, given, read, still_open, withdrawal
from feltsense_app.service.neutral_steps import NeutralSteps
from feltsense_app.service.recorder import Listener, Recorder
from feltsense_app.service.shelf import Shelf
from feltsense_app.service.zone import LocalZone
from feltsense_app.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from feltsense.bundle import Bundle
    from feltsense.core.prediction import Prediction
    from feltsense_app.platform import Phone
    from feltsense_app.presenters.home import Status
    from feltsense_app.presenters.join import Invitation
    from feltsense_app.presenters.leave import Proof
    from feltsense_app.presenters.prompts import Logged
    from feltsense_app.presenters.settings import SettingsState
    from feltsense_app.presenters.study import StudyView
    from feltsense_app.service.kept import Kept
    from feltsense_app.service.radio import Radio

__all__ = ["Conductor"]

TICK_S = 0.25
"""Real seconds between ticks; a countdown that moves every second must not skip one."""
SCAN_S = 12.0
"""Real seconds that a scan listens."""
RETRY_S = 15.0
"""Session seconds before a recording that ended by itself is tried again."""
TOLD = ("home.low_space", "home.low_battery", "home.sensor_battery")
"""Warnings that are worth a notification, beside everything that is bad."""
NS = 10**9


class Conductor:
    """Everything but the window.

    Parameters
    ----------
    phone : Phone
        Where the app runs.
    radio : Radio
        Where sensors are.
    bundle : callable
        Gives the model, when it is first needed: the window is there before it.
    rest_s : float
        Seconds of the wizard's rest.
    """

    def __init__(
        self,
        phone: Phone,
        radio: Radio,
        bundle: Callable[[], Bundle],
        rest_s: float = REST_S,
    ) -> None:
        self.phone, self.radio = phone, radio
        self._bundle = cache(bundle)
        self.shelf = Shelf(phone, self._said)
        self.zone = LocalZone()
        self.study: StudyView | None = self._read(self.kept.study).study if self.kept.study else None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recording: asyncio.Task[None] | None = None
        self._decided, self._again_ns, self._fresh = "", 0, False
        self.live, self.results = LivePresenter(radio.speed), ResultsPresenter()
        self.home = HomePresenter(self.pause, self.resume)
        heard = Listener(self._status, self.live.push, self._rested_window, self._estimated, self._lost)
        self.recorder = Recorder(radio, self._bundle, heard, phone.space)
        self.settings = SettingsPresenter(self.kept.settings, self._set_up)
        self.flow = FlowPresenter(resume(self.kept.done))
        self.join = JoinPresenter(self._invited, self._joined, self._look)
        self._steps = NeutralSteps(phone, self._start, self.recorder.estimator, self.shelf, self.flow.done)
        self.neutral = self._steps.presenter
        self.wizard = WizardPresenter(radio.clock, self._learn, self._steps.rested, rest_s)
        self.markers = MarkersPresenter(radio.clock, self.recorder.mark)
        self.leave = LeavePresenter(self, self._left)
        self.share = SharePresenter(self._make_report)
        self.consent: ConsentPresenter | None = None
        self.permissions: PermissionsPresenter | None = None
        self.pair: PairPresenter | None = None
        self.prompts: PromptsPresenter | None = None
        if self.study is not None:
            self._prepare(self.study)
        if self.flow.state.page is Page.NEUTRAL:
            self._steps.ask()
        if self.shelf.found:
            self._said(self.shelf.found)

    @property
    def kept(self) -> Kept:
        """What is kept over a restart."""
        return self.shelf.kept

    @property
    def recordings(self) -> list[Path]:
        """Recordings on this phone, oldest first."""
        return self.shelf.recordings

    async def run(self) -> None:
        """Tick, for ever; resumes the recording first, where there is everything for it."""
        if self.study is not None and self.prompts is None:
            self._open(self.study)
        if self.flow.state.page in (Page.HOME, Page.WIZARD, Page.NEUTRAL):
            self.resume()
        try:
            while True:
                self.tick()
                await asyncio.sleep(TICK_S)
        finally:
            await self.close()

    def tick(self) -> None:
        """Let time pass."""
        self.wizard.tick()
        if self.flow.state.page in RECORDED:
            self._go_on()
        if self.prompts is not None and self.flow.state.page in (Page.HOME, *SIDE):
            before = self.prompts.state.waiting
            self.prompts.tick(self.radio.shown())
            waiting = self.prompts.state.waiting
            if waiting is not None and waiting != before:
                words = Words(self.kept.settings.language)
                self.phone.notify(words("notify.prompt"), words("prompt.waiting"))

    async def close(self) -> None:
        """Stop recording and every task; what was recorded is kept."""
        self._steps.stop()
        await self.recorder.stop()
        if self._recording is not None:
            await asyncio.wait([self._recording])
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # What the person does

    def resume(self) -> None:
        """Record, unless it does already."""
        if (self._recording is None or self._recording.done()) and self.kept.consent is not None:
            self._again_ns = self.radio.clock() + int(RETRY_S * NS)
            path, self._fresh = self.shelf.session(self.radio.clock(), fresh=self._fresh), False
            if self.shelf.unlock():
                self.recorder.key = self.shelf.safe.key
                self.phone.stay_awake(on=True)
                self._recording = self._start(self._record(path, self.kept.consent))

    def pause(self) -> None:
        """Stop every stream; the next recording is another file."""
        self.shelf.keep(session="")
        self.phone.stay_awake(on=False)
        self._start(self.recorder.stop(paused=True))

    def begin_rest(self) -> None:
        """The wizard's button: rest from now on."""
        self.recorder.rest()
        self.wizard.begin()

    def scan(self) -> None:
        """Listen for sensors."""
        self._start(self._scan())

    # Keeper, for leaving

    def stop(self) -> None:
        """Stop every stream at once."""
        self.pause()

    def withdraw(self) -> None:
        """Record that consent was withdrawn."""
        if self.kept.consent is not None:
            for event in withdrawal(self.kept.study, self.kept.consent, self.radio.clock()):
                self.recorder.mark(event)
        self.shelf.keep(consent=None)

    def erase(self) -> Proof:
        """Erase all recordings, the baseline and the journal; gives what was proven."""
        self.recorder.forget()
        self.results.forget()
        return self.shelf.erase()

    # What happens

    def _read(self, code: str) -> Invitation:
        return read(code, self.kept.settings.language)

    def _invited(self, code: str) -> Invitation:
        today = datetime.fromtimestamp(self.radio.shown() / NS, self.zone).date()
        return still_open(self._read(code), today)

    def _look(self) -> None:
        self._start(self._scan_code())

    async def _scan_code(self) -> None:
        from feltsense_app.service.qr import seen

        self.join.saw(*await seen(self.phone))

    def _joined(self, invitation: Invitation, pseudonym: str) -> None:
        self.study = invitation.study
        self.shelf.keep(study=invitation.source, pseudonym=pseudonym)
        self._prepare(invitation.study)
        self._open(invitation.study)
        self.flow.done()

    def _prepare(self, study: StudyView) -> None:
        clock = self.radio.clock
        self.consent = ConsentPresenter(study.consent_text, study.consent_version, study.asked, clock, self._agreed)
        self.pair = PairPresenter(study.places, self.scan, self._paired)
        if self.kept.consent is not None:
            self._use(self.kept.consent)

    def _open(self, study: StudyView) -> None:
        """What needs the participant's key; after the first frame, for a key takes its time to open."""
        self.shelf.unlock()
        self.recorder.estimator.profile = self.shelf.baseline()
        if self.recorder.estimator.profile is not None:
            self.results.calibrated()
        journal = self.shelf.journal()

        def log(logged: Logged) -> None:
            try:
                journal.append(logged)
            except OSError as error:
                self._said(str(error))
            words = f"{logged.prompt} {logged.stage}" + "".join(f" {q}={a}" for q, a in logged.answers)
            now = self.radio.clock()
            self.recorder.mark(Event(now, EventKind.NOTE, 0.0, words))
            for event in answer_events(now, logged.answers):
                self.recorder.mark(event)

        self.prompts = PromptsPresenter(
            study.prompts, self.kept.pseudonym, journal.read(), log, study.following, self.zone
        )

    def _agreed(self, consent: Consent) -> None:
        self.shelf.keep(consent=consent)
        self._use(consent)
        self.flow.done()

    def _use(self, consent: Consent) -> None:
        self.recorder.estimator.consented = INFERENCE in consent.granted
        self.recorder.opening = given(self.kept.study, consent)
        self.permissions = PermissionsPresenter(self.phone, needed(consent.granted), self._allowed)

    def _allowed(self) -> None:
        self.shelf.keep(allowed=True)
        self.flow.done()

    def _paired(self, sensors: tuple[Seen, ...]) -> None:
        self.shelf.keep(sensors=sensors)
        self.flow.done()
        self.resume()

    def _rested_window(self, window: Any) -> None:
        self.wizard.measured(window)

    def _learn(self, start_ns: int, stop_ns: int) -> None:
        failure = self.recorder.learn(start_ns, stop_ns)
        profile = self.recorder.estimator.profile
        if not failure and profile is not None:
            self.shelf.learned(profile)
            self.results.calibrated()
        self.wizard.learned(failure)

    def _status(self, status: Status) -> None:
        before = self.home.state
        self.home.update(replace(status, unsealed=self.shelf.safe.why))
        self.results.inference(on=status.inference)
        now = self.home.state
        worse = now.level is Level.BAD and before.level is not Level.BAD
        if worse or (now.sentence in TOLD and now.sentence != before.sentence):
            words = Words(self.kept.settings.language)
            self.phone.notify(words("notify.trouble"), words(now.sentence, **dict(now.places)))

    def _lost(self, sensor: str) -> None:
        self.wizard.interrupted()

    def _estimated(self, prediction: Prediction) -> None:
        self.results.push(prediction)
        if prediction.label and self.prompts is not None:
            if self._decided and prediction.label != self._decided:
                self.prompts.change(self.radio.shown())
            self._decided = prediction.label

    def _left(self) -> None:
        self.shelf.keep(study="", consent=None, allowed=False, sensors=(), session="", rested=False, neutral=False)
        self.recorder.forget()
        self.results.forget()
        self.shelf.safe.close()
        self.flow.withdrawn()

    def _set_up(self, settings: SettingsState) -> None:
        spoke = self.kept.settings.language
        self.shelf.keep(settings=settings)
        if self.kept.study and settings.language != spoke:
            self.study = self._read(self.kept.study).study

    async def _record(self, path: Path, consent: Consent) -> None:
        # Where it never got a sample into this file, the next attempt takes another one.
        self._fresh = not await self.recorder.record(
            path, self.kept.pseudonym, self.kept.sensors, frozenset(consent.granted)
        )
        if self._fresh and not self.home.state.status.trouble:
            self._again_ns = 0

    def _go_on(self) -> None:
        """Record again, where it ended by itself and there is room."""
        ended = self._recording is not None and self._recording.done()
        if self.kept.session and (ended or self._recording is None) and self.radio.clock() >= self._again_ns:
            if self.phone.space()[0] >= NO_SPACE:
                self.resume()
            else:
                self._again_ns = self.radio.clock() + int(RETRY_S * NS)

    def _make_report(self) -> None:
        self._start(self._report())

    async def _report(self) -> None:
        from feltsense_app.service.sharing import made

        contact = "" if self.study is None else self.study.contact
        profile, key = self.recorder.estimator.profile, self.shelf.safe.key
        self.share.made(*await made(self.recordings, self._bundle, profile, contact, key))

    async def _scan(self) -> None:
        pair = self.pair
        if pair is None:
            return
        trouble = ""
        try:
            found = await self.radio.scan(SCAN_S, self._enough)
            pair.saw(found)
        except FeltsenseError as error:
            trouble = str(error)
        pair.scanned(trouble)

    def _enough(self, seen: Any) -> bool:
        if self.pair is not None:
            self.pair.saw(tuple(seen))
        # The person may go on as soon as what is needed is there; the scan goes on for what is not.
        return self.pair is not None and all(p.sensor for p in self.pair.state.places)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._said(str(task.exception()))

    def _said(self, trouble: str) -> None:
        """Something went wrong that home should say."""
        self.recorder.trouble(trouble)
