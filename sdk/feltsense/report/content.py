"""What a session's report says: a summary as blocks, page one first, then the evidence.

Page one says who, when and with which devices, what must be known beforehand, the numbers against the person's own
rest, what the model said and where it said nothing, what all this does not mean, and whom to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.report import charts, words
from feltsense.report.blocks import (
    Block,
    Document,
    Head,
    Items,
    Legend,
    Line,
    NewPage,
    Para,
    Picture,
    Section,
    Table,
    Terms,
)
from feltsense.report.evidence import evidence, title_of
from feltsense.report.say import Say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feltsense.report.estimate import Estimate
    from feltsense.report.figures import Figure
    from feltsense.report.summary import ModelLine, Summary

__all__ = ["DIGITS", "legend", "limits", "model_card", "session"]

MAX_ANSWERS = 8
"""Rows shown of each; what is beyond is counted, never dropped without a word."""
DIGITS = {"bpm": 0, "ms": 1, "µS": 2, "1/min": 1, "°C": 2}
"""Decimals that the unit's usual measuring error leaves meaningful."""


def session(summary: Summary, contact: str = "", language: str = "en", appendix: Iterable[Block] = ()) -> Document:
    """Say a session's report.

    Parameters
    ----------
    summary : Summary
        What to say.
    contact : str, optional
        Whom to ask about the report.
    language : str
        ``en`` or ``de``.
    appendix : iterable of Block
        What stands at the end.
    """
    say = Say(language)
    title = say("Session report: {subject}", subject=summary.subject)
    whom = contact or say("the person who gave it to you")
    foot = say("Questions about this report: {whom}.", whom=whom)
    blocks: list[Block] = [
        Head(title, _lead(say, summary), say(words.IN_SHORT)),
        _who(say, summary),
        *_notices(say, summary),
        *_numbers(say, summary),
        _estimate(say, summary),
        *_answers(say, summary),
        limits(say, foot),
        NewPage(),
        *evidence(say, summary),
        *appendix,
    ]
    return Document(title, language, tuple(blocks), foot)


def limits(say: Say, whom: str) -> Section:
    """What a report does not mean, and whom to ask."""
    told = (Items(tuple(say(t) for t in words.LIMITS)), Para(whom))
    return Section(say("What this does not mean"), told, "limits")


def _who(say: Say, s: Summary) -> Terms:
    rows = [
        (say("Person"), s.subject),
        (say("Start"), f"{words.moment(s.start_ns)} UTC"),
        (say("Length"), say.duration(s.seconds)),
        (say("Devices"), ", ".join(s.devices)),
    ]
    if (least := s.least_covered) is not None:
        shares = {"mean": say.percent(s.coverage), "least": say.percent(least.coverage or 0.0), "stream": least.id}
        rows.append((say("Coverage"), say("{mean} (least: {stream}, {least})", **shares)))
    if s.corrected is not None:
        rows.append((say("Beats corrected"), say.percent(s.corrected)))
    return Terms((*rows, (say("Calibration"), say(s.calibration))))


def _lead(say: Say, s: Summary) -> str:
    streams, gaps = len(s.streams), len(s.sampled_gaps)
    text = say("{length} from {streams}", length=say.duration(s.seconds), streams=say.some(streams, "stream", "streams"))
    text += f", {say.some(gaps, 'gap', 'gaps')}." if gaps else f", {say('no gap')}."
    e = s.estimate
    if e is None:
        return f"{text} {say('No model was applied.')}"
    if not e.outside:
        return f"{text} {say('No window outside the calibration.')}"
    about = dict(e.labels).get(e.about, 0)
    share = say.percent(e.decided / e.outside)
    one = "{share} of the windows outside calibration have an estimate; {n} of these {all} is “{about}”."
    many = "{share} of the windows outside calibration have an estimate; {n} of these {all} are “{about}”."
    return f"{text} {say(one if about == 1 else many, share=share, n=about, all=e.decided, about=say.told(e.about))}"


def _notices(say: Say, s: Summary) -> list[Block]:
    if not s.notices:
        return []
    return [Section(say("Before you read"), (Items(tuple(say(n) for n in s.notices)),), "notice")]


def _numbers(say: Say, s: Summary) -> list[Block]:
    if not s.figures:
        return []
    baseline = {f.baseline for f in s.figures}
    after = say("Afterwards") if "recording" in baseline else say("Whole recording")
    rest = say("Own rest, earlier recording") if "profile" in baseline else say("Own rest")
    spread = say("mean ± one standard deviation") if "profile" in baseline else say("the same over the known rest")
    caption = say(
        "{after}: median (and the range of the middle 80 %) over windows of {window} s; {rest}: {spread}. "
        "The comparison is with the person's own rest, not with other people. Usable windows: {usable}.",
        after=after,
        window=f"{s.window_s:g}",
        rest=rest if say.language == "de" else rest.lower(),
        spread=spread,
        usable=say("at rest, then afterwards") if "recording" in baseline else say("of all"),
    )
    head = ("", rest, after, say("Change"), say("Usable windows"))
    rows = tuple(_number_row(say, f) for f in s.figures)
    return [Section(say("Numbers"), (Table(caption, head, rows, (1, 2, 3, 4), heading=True),))]


def _number_row(say: Say, f: Figure) -> Line:
    d = DIGITS.get(f.unit, 1)
    usable = f"{f.after.usable}/{f.after.windows}"
    if f.baseline == "recording":
        usable = f"{f.rest.usable}/{f.rest.windows}, {usable}"
    cells = (title_of(say, f), say.level(f.rest, d), say.level(f.after, d), say.signed(f.change, d), usable)
    return Line(cells, f.thin)


def _estimate(say: Say, s: Summary) -> Section:
    e = s.estimate
    if e is None:
        return Section(say("Estimate"), (Para(say("No model was applied to this recording.")), *model_card(say, s.model)))
    shares = [
        *((say("estimated as “{label}”", label=say.told(label)), n) for label, n in e.labels),
        *((say("no estimate: {why}", why=say.silence(reason)), n) for reason, n in e.silent),
    ]
    of = "{n} of {all} ({share}) {what}"
    listed = tuple(say(of, n=n, all=e.outside, share=say.percent(n / e.outside), what=t) for t, n in shares)
    about = say.told(e.about)
    chart = charts.decisions(s, e, say)
    blocks: list[Block] = [
        Picture(say("Probability of “{about}”, and the decision underneath", about=about), chart),
        legend(say, e),
    ]
    if e.outside:
        blocks += [Para(say("Outside the calibration interval, {n} windows:", n=e.outside)), Items(listed, counts=True)]
    told = []
    if e.open:
        text = "In {n} of the {all} decided windows the other class cannot be ruled out (hatched)."
        told.append(say(text, n=e.open, all=e.decided))
    if e.calibration:
        told.append(say("{n} windows overlap the calibration interval and are not counted.", n=e.calibration))
    if told:
        blocks.append(Para(" ".join(told)))
    blocks += model_card(say, s.model)
    return Section(say("Estimate: {target}", target=say.told(e.target)), tuple(blocks))


def _answers(say: Say, s: Summary) -> list[Block]:
    if not s.answers:
        return []
    told = [f"{words.clock(a.at_s)}  {a.prompt}: {say.point(f'{a.value:g}')}" for a in s.answers[:MAX_ANSWERS]]
    blocks: list[Block] = [Items(tuple(told), counts=True)]
    if (rest := len(s.answers) - MAX_ANSWERS) > 0:
        blocks.append(Para(say("And {n} more.", n=rest)))
    return [Section(say("What the person said"), tuple(blocks))]


def legend(say: Say, e: Estimate) -> Legend:
    """What the fills of the chart of estimates mean."""
    states = [*(label for label, _ in e.labels), *([""] if e.silent else []), *(["calibration"] if e.calibration else [])]
    shown = [(charts.pattern(e, state), say.told(state or "no estimate")) for state in states]
    if e.open:
        shown.append((charts.OPEN, say("another class cannot be ruled out")))
    return Legend(say("Legend"), tuple(shown))


def model_card(say: Say, model: ModelLine | None) -> list[Block]:
    """The model's card in a line."""
    if model is None:
        return []
    parts = [
        (say("Model"), model.id),
        (say("Trained on"), say.told(model.training)),
        (say("On unseen people"), say.point(say.told(model.score))),
    ]
    return [Para(". ".join(f"{name}: {text}" for name, text in parts if text) + ".", small=True)]
