"""The whole app without its window: presenters, recorder and what is kept, put together.

Rules
-----
- What a person did is kept before the next screen comes; a kill at any moment goes on where they were.
- After a start with everything done, recording goes on by itself, in the file that was being written.
- Time-driven things (wizard, prompts) are ticked from one loop, :meth:`Conductor.run`.
- An error in a task ends nothing silently: it reaches home's sentence.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feltsense.core.event import Event, EventKind
from feltsense.core.profile import UserProfile
from feltsense.errors import FeltsenseError
from feltsense.study import answer_events
from feltsense_app.presenters.consent import Consent, ConsentPresenter
from feltsense_app.presenters.flow import SIDE, FlowPresenter, Page, resume
from feltsense_app.presenters.home import HomePresenter, Level
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
from feltsense_app.service.erasing import erase
from feltsense_app.service.invite import INFERENCE, given, read, withdrawal
from feltsense_app.service.kept import Journal, load, save
from feltsense_app.service.recorder import Listener, Recorder

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path
    from typing import Any

    from feltsense.bundle import Bundle
    from feltsense.core.prediction import Prediction
    from feltsense_app.platform import Phone
    from feltsense_app.presenters.home import Status
    from feltsense_app.presenters.join import Invitation
    from feltsense_app.presenters.prompts import Logged
    from feltsense_app.presenters.settings import SettingsState
    from feltsense_app.presenters.study import StudyView
    from feltsense_app.service.radio import Radio

__all__ = ["Conductor"]

TICK_S = 0.25
"""Real seconds between ticks; a countdown that moves every second must not skip one."""
SCAN_S = 12.0
"""Real seconds that a scan listens."""
NS = 10**9


class Conductor:
    """Everything but the window.

    Parameters
    ----------
    phone : Phone
        Where the app runs.
    radio : Radio
        Where sensors are.
    bundle : Bundle
        The model.
    rest_s : float
        Seconds of the wizard's rest.
    """

    def __init__(
        self,
        phone: Phone,
        radio: Radio,
        bundle: Bundle,
        rest_s: float = REST_S,
    ) -> None:
        self.phone, self.radio = phone, radio
        self._bundle = bundle
        self._file = phone.folder / "app.json"
        self.data = phone.folder / "data"
        """Everything personal, and nothing else: what erasing erases."""
        self.data.mkdir(exist_ok=True)
        self.kept, self.trouble = load(self._file)
        self.study: StudyView | None = self._read(self.kept.study).study if self.kept.study else None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recording: asyncio.Task[None] | None = None
        self._decided = ""
        self.live, self.results = LivePresenter(), ResultsPresenter()
        self.home = HomePresenter(self.pause, self.resume)
        heard = Listener(self._status, self.live.push, self._rested_window, self._estimated, self._lost)
        self.recorder = Recorder(radio, bundle, heard, phone.space)
        self.settings = SettingsPresenter(self.kept.settings, self._set_up)
        self.flow = FlowPresenter(resume(self.kept.done))
        self.join = JoinPresenter(self._read, self._joined)
        self.wizard = WizardPresenter(radio.clock, self._learn, self.flow.done, rest_s)
        self.markers = MarkersPresenter(radio.clock, self._mark)
        self.leave = LeavePresenter(self, self._left)
        self.share = SharePresenter(self._make_report)
        self.consent: ConsentPresenter | None = None
        self.permissions: PermissionsPresenter | None = None
        self.pair: PairPresenter | None = None
        self.prompts: PromptsPresenter | None = None
        if self.study is not None:
            self._prepare(self.study)

    @property
    def profile_path(self) -> Path:
        """Where the baseline is kept."""
        return self.data / "baseline.json"

    @property
    def recordings(self) -> list[Path]:
        """Recordings on this phone, oldest first."""
        return sorted(self.data.glob("*.felt"))

    async def run(self) -> None:
        """Tick, for ever; resumes the recording first, where there is everything for it."""
        if self.flow.state.page in (Page.HOME, Page.WIZARD):
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
        if self.prompts is not None and self.flow.state.page in (Page.HOME, *SIDE):
            before = self.prompts.state.waiting
            self.prompts.tick(self.radio.clock())
            waiting = self.prompts.state.waiting
            if waiting is not None and waiting != before:
                self.phone.notify("prompt", waiting.prompt)

    async def close(self) -> None:
        """Stop recording and every task; what was recorded is kept."""
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
            name = self.kept.session
            if not name or not (self.data / name).exists():
                name = self._new_name()
                self._keep(session=name)
            self.phone.stay_awake(on=True)
            self._recording = self._start(self._record(self.data / name, self.kept.consent))

    def pause(self) -> None:
        """Stop every stream; the next recording is another file."""
        self._keep(session="")
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
        self._keep(consent=None)

    def erase(self) -> str:
        """Erase all recordings, the baseline and the journal; gives what was proven."""
        self.recorder.profile = None
        self._keep(rested=False, session="")
        return erase(self.data, self.kept.pseudonym)

    # What happens

    def _read(self, code: str) -> Invitation:
        return read(code, self.kept.settings.language)

    def _joined(self, invitation: Invitation, pseudonym: str) -> None:
        self.study = invitation.study
        self._keep(study=invitation.source, pseudonym=pseudonym)
        self._prepare(invitation.study)
        self.flow.done()

    def _prepare(self, study: StudyView) -> None:
        clock = self.radio.clock
        self.consent = ConsentPresenter(study.consent_text, study.consent_version, study.asked, clock, self._agreed)
        self.pair = PairPresenter(study.places, self.scan, self._paired)
        journal = Journal(self.data / "prompts.jsonl")

        def log(logged: Logged) -> None:
            journal.append(logged)
            words = f"{logged.prompt} {logged.stage}" + "".join(f" {q}={a}" for q, a in logged.answers)
            self.recorder.mark(Event(logged.t_ns, EventKind.NOTE, 0.0, words))
            for event in answer_events(logged.t_ns, logged.answers):
                self.recorder.mark(event)

        self.prompts = PromptsPresenter(
            study.prompts, self.kept.pseudonym, journal.read(), log, study.following, _local_zone()
        )
        if self.kept.consent is not None:
            self._use(self.kept.consent)

    def _agreed(self, consent: Consent) -> None:
        self._keep(consent=consent)
        self._use(consent)
        self.flow.done()

    def _use(self, consent: Consent) -> None:
        self.recorder.inference = INFERENCE in consent.granted
        self.recorder.opening = given(self.kept.study, consent)
        self.permissions = PermissionsPresenter(self.phone, needed(consent.granted), self._allowed)
        if self.profile_path.exists() and self.kept.rested:
            try:
                self.recorder.profile = UserProfile.from_json(self.profile_path.read_text(encoding="utf-8"))
                self.results.calibrated()
            except FeltsenseError as error:
                self.trouble = str(error)
                self._keep(rested=False)

    def _allowed(self) -> None:
        self._keep(allowed=True)
        self.flow.done()

    def _paired(self, sensors: tuple[Seen, ...]) -> None:
        self._keep(sensors=sensors)
        self.flow.done()
        self.resume()

    def _rested_window(self, window: Any) -> None:
        self.wizard.measured(window)

    def _learn(self, start_ns: int, stop_ns: int) -> None:
        failure = self.recorder.learn(start_ns, stop_ns)
        if not failure and self.recorder.profile is not None:
            self.profile_path.write_text(self.recorder.profile.to_json(), encoding="utf-8")
            self._keep(rested=True)
            self.results.calibrated()
        self.wizard.learned(failure)

    def _status(self, status: Status) -> None:
        before = self.home.state.level
        self.home.update(status)
        self.results.inference(on=status.inference)
        if self.home.state.level is Level.BAD and before is not Level.BAD:
            self.phone.notify("trouble", self.home.state.sentence)

    def _lost(self, sensor: str) -> None:
        self.wizard.interrupted()

    def _estimated(self, prediction: Prediction) -> None:
        self.results.push(prediction)
        if prediction.label and self.prompts is not None:
            if self._decided and prediction.label != self._decided:
                self.prompts.change(prediction.stop_ns)
            self._decided = prediction.label

    def _mark(self, event: Event) -> None:
        self.recorder.mark(event)

    def _left(self) -> None:
        self._keep(study="", consent=None, allowed=False, sensors=(), session="", rested=False)
        self.flow.withdrawn()

    def _set_up(self, settings: SettingsState) -> None:
        spoke = self.kept.settings.language
        self._keep(settings=settings)
        if self.kept.study and settings.language != spoke:
            self.study = self._read(self.kept.study).study

    async def _record(self, path: Path, consent: Consent) -> None:
        await self.recorder.record(path, self.kept.pseudonym, self.kept.sensors, frozenset(consent.granted))

    def _make_report(self) -> None:
        self._start(self._report())

    async def _report(self) -> None:
        """A page about the last recording, made in a thread: the window goes on meanwhile."""
        from feltsense_app.service.sharing import report

        if not self.recordings:
            self.share.made(trouble="no recording yet")
            return
        try:
            contact = "" if self.study is None else self.study.contact
            path = await asyncio.to_thread(report, self.recordings[-1], self._bundle, self.recorder.profile, contact)
            self.share.made(path=str(path))
        except (FeltsenseError, OSError) as error:
            self.share.made(trouble=str(error))

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

    def _keep(self, **changes: Any) -> None:
        self.kept = replace(self.kept, **changes)
        save(self._file, self.kept)

    def _new_name(self) -> str:
        stamp = datetime.fromtimestamp(self.radio.clock() / NS, UTC).strftime("%Y%m%dT%H%M%SZ")
        name, number = f"{stamp}.felt", 1
        while (self.data / name).exists():
            number += 1
            name = f"{stamp}-{number}.felt"
        return name

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.trouble = str(task.exception())
            self.home.update(replace(self.home.state.status, trouble=self.trouble))


def _local_zone() -> Any:
    return datetime.now().astimezone().tzinfo
