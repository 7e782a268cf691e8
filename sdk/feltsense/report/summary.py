"""Everything a report says about one recording, as pure frozen data; nothing here knows of HTML or files.

Contract
--------
- A summary is a function of the recording, the predictions and the profile: the same in, the same out.
- Times are seconds from the recording's first sample; only ``start_ns`` places them in the world (UTC).
- Nothing is left out silently: every gap, every window without an estimate and every reason is in it.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feltsense import session
from feltsense.core.event import EventKind
from feltsense.core.profile import RestInterval
from feltsense.core.timeline import NS, to_ns
from feltsense.core.vector import Reason
from feltsense.report.account import GapLine, StreamLine, stream_lines
from feltsense.report.estimate import Estimate, estimate
from feltsense.report.figures import FURTHER, Figure, Level, figures, level_of
from feltsense.report.say import Phrase, Term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from feltsense.bundle import Bundle
    from feltsense.core.event import Event
    from feltsense.core.prediction import Prediction
    from feltsense.core.profile import UserProfile
    from feltsense.core.recording import Recording
    from feltsense.core.vector import FeatureVector
    from feltsense.core.window import Window

__all__ = ["AnswerLine", "EventLine", "ModelLine", "QualityLine", "Summary", "model_line", "summarise"]

WINDOW_S = 60.0
"""Window of the numbers where no profile says another one: RMSSD, SCL and SCR rate all need a minute."""
HOP_S = 15.0
"""Step of the numbers' windows: four points a minute draw a curve, and more would only repeat the same minute."""

_INTERVAL = re.compile(r"([\d.]+) \[([\d.]+), ([\d.]+)\]", re.ASCII)
"""A card's figure with its interval."""
_NOT_CALIBRATED = "this model, person not calibrated"
"""A card's row."""
_CORRECTED = "ecg.corrected_fraction"
_INTERVALS = (EventKind.LABEL, EventKind.CALIBRATION)
_TOLD = (
    EventKind.LABEL,
    EventKind.CALIBRATION,
    EventKind.MARKER,
    EventKind.NOTE,
    EventKind.ANSWER,
    EventKind.CONNECTED,
    EventKind.DISCONNECTED,
    EventKind.CLOCK_RESET,
)


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event, in seconds from the recording's first sample; `seconds` is the length of an interval, else 0."""

    at_s: float
    kind: str
    seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer of the person: when, in seconds from the recording's first sample, to which prompt, and its number."""

    at_s: float
    prompt: str
    value: float


@dataclass(frozen=True, slots=True)
class QualityLine:
    """One modality's quality over the windows: its level, and what lowered it in how many of them."""

    modality: str
    level: Level
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ModelLine:
    """The model card in a few lines.

    Attributes
    ----------
    id : str
        Name and version of the bundle.
    training : str
        Data it was trained on.
    score : str
        How well it did on people it had not seen, with its interval; empty where the bundle does not say.
    """

    id: str
    training: str = ""
    score: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One recording's report.

    Attributes
    ----------
    subject : str
        Pseudonym.
    start_ns : int
        First sample, Unix time in ns.
    seconds : float
        Length.
    source : tuple of (str, str)
        The recording's metadata.
    streams : tuple of StreamLine
        Every stream with its account and gaps.
    figures : tuple of Figure
        The numbers at rest and afterwards.
    window_s : float
        Window over which the numbers are taken.
    estimate : Estimate or None
        What the model said; None where there are no predictions.
    model : ModelLine or None
        The model.
    rests : tuple of (float, float)
        Known rest inside this recording, seconds.
    calibration : str
        State of the calibration, one sentence.
    events : tuple of EventLine
        Labels, markers, notes and connections, in order of time.
    notices : tuple of str
        What the reader must know before the numbers.
    """

    subject: str
    start_ns: int
    seconds: float
    source: tuple[tuple[str, str], ...]
    streams: tuple[StreamLine, ...]
    figures: tuple[Figure, ...]
    window_s: float
    estimate: Estimate | None
    model: ModelLine | None
    rests: tuple[tuple[float, float], ...]
    calibration: str
    events: tuple[EventLine, ...]
    notices: tuple[str, ...]
    corrected: float | None = None
    """Share of the heart beats that a correction would change (median over the windows); None without an ECG."""
    answers: tuple[AnswerLine, ...] = ()
    """What the person said of themselves, in order of time."""
    quality: tuple[QualityLine, ...] = ()
    """Each modality's quality."""
    further: tuple[Figure, ...] = ()
    """Numbers for other programs that page one has no room for."""

    @property
    def coverage(self) -> float:
        """Mean share of the recording in which its streams with a rate have a reading; 0 without such a stream."""
        shares = [s.coverage for s in self.streams if s.coverage is not None]
        return sum(shares) / len(shares) if shares else 0.0

    @property
    def least_covered(self) -> StreamLine | None:
        """The stream with the least coverage; None where no stream has a rate."""
        rated = [s for s in self.streams if s.coverage is not None]
        return min(rated, key=lambda s: s.coverage or 0.0, default=None)

    @property
    def gaps(self) -> tuple[GapLine, ...]:
        """Every gap of every stream, in order of time."""
        return tuple(sorted((g for s in self.streams for g in s.gaps), key=lambda g: (g.start_s, g.stream)))

    @property
    def sampled_gaps(self) -> tuple[GapLine, ...]:
        """Gaps of streams that have a rate.

        A stream that a device derives itself (beat intervals) has a gap wherever the device was not sure; those say
        little about the recording, and would bury the others.
        """
        rated = {s.id for s in self.streams if s.rate is not None}
        return tuple(g for g in self.gaps if g.stream in rated)

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of the devices; a stream without one counts by the first part of its id."""
        return tuple(dict.fromkeys(s.device or s.id.rpartition(".")[0] or s.id for s in self.streams))


def summarise(
    recording: Recording,
    predictions: Iterable[Prediction] = (),
    profile: UserProfile | None = None,
    *,
    model: ModelLine | None = None,
    vectors: Iterable[tuple[Window, FeatureVector]] | None = None,
) -> Summary:
    """Gather a report's data.

    Parameters
    ----------
    recording : Recording
        What was recorded; at least one sample.
    predictions : iterable of Prediction
        What the model said about it, one target; may be empty.
    profile : UserProfile, optional
        The profile that the predictions were made with; its intervals say where the rest was. Without it the
        recording's own calibration events do.
    model : ModelLine, optional
        The model card in a few lines; default: the id that the predictions carry.
    vectors : iterable of (Window, FeatureVector), optional
        Windows with features; default: extracted from the recording, 60 s (or the profile's window) every 15 s.

    Raises
    ------
    RecordingError
        If the recording holds no samples.
    """
    t0 = recording.start_ns
    given = tuple(predictions)
    window_s = WINDOW_S if profile is None else profile.window_s
    rests = _rests(recording, profile)
    windows = tuple(session.extract(recording, window=window_s, hop=HOP_S) if vectors is None else vectors)
    numbers = figures(windows, t0, rests, profile)
    return Summary(
        subject=recording.subject,
        start_ns=t0,
        seconds=recording.seconds,
        source=tuple(sorted(recording.metadata.items())),
        streams=stream_lines(recording),
        figures=numbers,
        window_s=windows[0][0].seconds if windows else window_s,
        estimate=estimate(given, t0, () if profile is None else rests),
        model=model or (ModelLine(given[0].model) if given else None),
        rests=tuple(((r.start_ns - t0) / NS, (r.stop_ns - t0) / NS) for r in rests),
        calibration=_calibration(rests, profile),
        events=_events(recording),
        notices=_notices(recording, profile, rests, numbers),
        corrected=corrected_share(v for _, v in windows),
        answers=tuple(
            AnswerLine((e.t_ns - t0) / NS, e.text, e.value) for e in recording.events if e.kind is EventKind.ANSWER
        ),
        quality=_quality(windows),
        further=figures(windows, t0, rests, profile, FURTHER),
    )


def corrected_share(vectors: Iterable[FeatureVector]) -> float | None:
    """Median share of beats that a correction would change, over the windows that tell it."""
    shares = [v[_CORRECTED] for v in vectors if _CORRECTED in v.schema.names]
    known = [x for x in shares if math.isfinite(x)]
    return statistics.median(known) if known else None


def _quality(windows: Sequence[tuple[Window, FeatureVector]]) -> tuple[QualityLine, ...]:
    """Quality of each modality, and the reasons that lowered it."""
    if not windows:
        return ()
    out = []
    for k, modality in enumerate(windows[0][1].schema.modalities):
        reasons = Counter(str(v.quality_reasons[k]) for _, v in windows if v.quality_reasons[k] is not Reason.OK)
        values = [float(v.quality[k]) for _, v in windows]
        out.append(QualityLine(modality, level_of(values), tuple(reasons.most_common())))
    return tuple(out)


def _rests(recording: Recording, profile: UserProfile | None) -> tuple[RestInterval, ...]:
    """Known rest that lies in this recording: the profile's, else what the recording's own events say."""
    t0, t1 = recording.start_ns, recording.stop_ns
    if profile is not None:
        return tuple(i for i in profile.intervals if i.start_ns < t1 and t0 < i.stop_ns)
    told = (e for e in recording.events if e.kind is EventKind.CALIBRATION and e.value > 0)
    return tuple(RestInterval(e.t_ns, e.t_ns + to_ns(e.value)) for e in told)


def _calibration(rests: Sequence[RestInterval], profile: UserProfile | None) -> str:
    length = sum(r.stop_ns - r.start_ns for r in rests) / NS
    if profile is not None and rests:
        return Phrase("Calibrated to this person on {n} s of known rest in this recording.", {"n": f"{length:.0f}"})
    if profile is not None:
        return Phrase("Calibrated to this person on known rest in another recording.")
    if rests:
        marked = "Not calibrated. The recording marks {n} s of known rest; the numbers are compared with it."
        return Phrase(marked, {"n": f"{length:.0f}"})
    return Phrase("Not calibrated: no rest of this person is known, so nothing can be compared with an own baseline.")


def _events(recording: Recording) -> tuple[EventLine, ...]:
    t0 = recording.start_ns
    return tuple(
        EventLine((e.t_ns - t0) / NS, str(e.kind), e.value if e.kind in _INTERVALS else 0.0, _text(e))
        for e in recording.events
        if e.kind in _TOLD
    )


def _text(event: Event) -> str:
    return f"{event.text}: {event.value:g}" if event.kind is EventKind.ANSWER else event.text


def _notices(
    recording: Recording, profile: UserProfile | None, rests: Sequence[RestInterval], numbers: Sequence[Figure]
) -> tuple[str, ...]:
    said = []
    if recording.metadata.get("source") == "synthetic":
        said.append(Phrase("This recording is synthetic: the person does not exist."))
    if profile is not None and profile.subject != recording.subject:
        whose = (
            "The profile belongs to {one}, the recording to {other}: "
            "the comparison with the own baseline holds only if they are the same person."
        )
        said.append(Phrase(whose, {"one": profile.subject, "other": recording.subject}))
    if profile is not None and not rests:
        said.append(Phrase("The rest baseline comes from another recording; electrode and sensor placement may differ."))
    if thin := [f.title for f in numbers if f.thin]:
        # Titles are said one by one, so that another language can.
        slots = ", ".join(f"{{t{i}}}" for i in range(len(thin)))
        titles = Phrase(slots, {f"t{i}": Phrase(t) for i, t in enumerate(thin)})
        said.append(Phrase("Thin data, usable in fewer than half of the windows: {titles}.", {"titles": titles}))
    if not numbers:
        said.append(Phrase("The recording is shorter than one window, or has no signal that a number can be taken from."))
    return tuple(said)


def model_line(bundle: Bundle, *, calibrated: bool = True) -> ModelLine:
    """A bundle's card in a few lines: what it was trained on, and how it did on people it had not seen.

    Parameters
    ----------
    bundle : Bundle
        The model.
    calibrated : bool
        Whether the person is: without, the card's figure for people who are not, where it has one.
    """
    model, training = bundle.model, bundle.model.training
    people, data, notice = len(training.get("subjects", ())), str(training.get("data", "")), str(training.get("notice", ""))
    told = "; ".join(t for t in (data, notice) if t)
    if data and people:
        told = Phrase("{data}; {n} people", {"data": data, "n": people})
        if notice:
            told = Phrase("{data}; {n} people; {notice}", {"data": data, "n": people, "notice": Term(notice)})
    return ModelLine(f"{model.target}, {bundle.id}", told, str(training.get("score", "")) or _score(bundle.card, calibrated))


def _score(card: str, calibrated: bool) -> str:
    """A figure of a card's table, with its interval: the first, which is the calibrated model's on people left out."""
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in card.splitlines() if line.startswith("|")]
    heads = [n for n, row in enumerate(rows) if len(row) > 1 and row[1] == "balanced accuracy"]
    # A header, a rule of dashes, then the first row.
    if not heads or len(rows) <= heads[0] + 2:
        return Phrase("not in the bundle; see its model card and feltsense evaluate")
    mine = next((row for row in rows[heads[0] + 3 :] if not calibrated and row[0] == _NOT_CALIBRATED), rows[heads[0] + 2])
    what, value = mine[:2]
    if between := _INTERVAL.fullmatch(value):
        value, low, high = between.groups()
        values = {"value": value, "low": low, "high": high, "what": Term(what)}
        return Phrase("balanced accuracy {value} [{low}, {high}] on people left out ({what})", values)
    return Phrase("balanced accuracy {value} on people left out ({what})", {"value": value, "what": Term(what)})
