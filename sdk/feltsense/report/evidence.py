"""What stands behind page one of a session's report: courses, quality, streams, gaps and the timeline of events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feltsense.core.timeline import to_ns
from feltsense.report import charts, words
from feltsense.report.blocks import Block, Line, Para, Picture, Section, Table, Terms
from feltsense.report.figures import THIN

if TYPE_CHECKING:
    from feltsense.report.estimate import Estimate
    from feltsense.report.figures import Figure
    from feltsense.report.say import Say
    from feltsense.report.summary import Summary

__all__ = ["evidence", "title_of"]

MAX_GAPS, MAX_EVENTS = 40, 60
"""Rows shown of each; what is beyond is counted, never dropped without a word."""


def evidence(say: Say, summary: Summary) -> list[Block]:
    """Say it."""
    return [
        *_trends(say, summary),
        *_quality(say, summary),
        _streams(say, summary),
        _gaps(say, summary),
        *_events(say, summary),
    ]


def title_of(say: Say, f: Figure) -> str:
    """A number's title with its unit, and whether its data are thin."""
    return f"{say(f.title)}, {f.unit}" + (f" – {say('thin data')}" if f.thin else "")


def _drivers(say: Say, e: Estimate | None) -> list[Block]:
    if e is None or not e.drivers:
        return []
    about = say.told(e.about)
    names = ", ".join(f"{say.part(n)} {say.signed(v, 2)}" for n, v in e.drivers)
    text = (
        "Where it estimated “{about}”, these parts moved the estimate on average (log odds, + towards “{about}”): {names}."
    )
    return [Para(say(text, about=about, names=names), small=True)]


def _trends(say: Say, s: Summary) -> list[Block]:
    drawn = [(f, charts.trend(s, f, n, say)) for n, f in enumerate(s.figures)]
    blocks: list[Block] = [Picture(title_of(say, f), svg) for f, svg in drawn if svg]
    prompts = dict.fromkeys(a.prompt for a in s.answers)
    blocks += [
        Picture(say("Own answers to “{prompt}”", prompt=p), charts.answers(s, p, n, say)) for n, p in enumerate(prompts)
    ]
    blocks += _drivers(say, s.estimate)
    return [Section(say("Course of each number"), tuple(blocks))] if blocks else []


def _streams(say: Say, s: Summary) -> Section:
    names = ("Stream", "Device", "Rate", "Received", "Missing", "No reading", "Coverage")
    rows = tuple(
        Line(
            (
                line.id,
                line.device,
                say("irregular") if line.rate is None else say.point(f"{line.rate:g} Hz"),
                say.count(line.received),
                say.count(line.missing, line.missing_upper),
                say.count(line.unreadable),
                "–" if line.coverage is None else say.percent(line.coverage),
            )
        )
        for line in s.streams
    )
    caption = say("Samples. Coverage is the share of the whole recording in which the stream has a reading.")
    table = Table(caption, tuple(say(n) for n in names), rows, (2, 3, 4, 5, 6), heading=True)
    chart = Picture(say("When each stream delivered data; ▾ marks a gap"), charts.coverage(s, say))
    source = Terms(tuple((say.told(k.replace("_", " ").capitalize()), v) for k, v in s.source if v))
    return Section(say("Devices and streams"), (chart, table, source))


def _gaps(say: Say, s: Summary) -> Section:
    gaps, derived = s.sampled_gaps, _derived_gaps(say, s)
    if not gaps:
        return Section(say("Gaps"), (Para(say("No gap in any sampled stream.")), *derived))
    kept = sorted(sorted(gaps, key=lambda g: -g.seconds)[:MAX_GAPS], key=lambda g: (g.start_s, g.stream))
    rows = tuple(
        Line(
            (
                words.clock(g.start_s),
                words.clock(g.stop_s),
                say.duration(g.seconds),
                g.stream,
                say.count(g.samples, g.upper),
                say.told(words.gap_reason(g.reason)),
            )
        )
        for g in kept
    )
    head = tuple(say(n) for n in ("From", "To", "Length", "Stream", "Samples missing", "Why"))
    blocks: list[Block] = [Table(say("Times from the start of the recording. Nothing was filled in."), head, rows, (2, 4))]
    rest = len(gaps) - len(kept)
    if rest:
        left = say.duration(sum(g.seconds for g in gaps) - sum(g.seconds for g in kept))
        text = say("And {gaps}, {length} in all.", gaps=say.some(rest, "shorter gap", "shorter gaps"), length=left)
        blocks.append(Para(text))
    return Section(say("Gaps"), (*blocks, *derived))


def _derived_gaps(say: Say, s: Summary) -> list[Para]:
    """One line for each stream that comes when it comes: its gaps are many and are no fault."""
    return [
        Para(
            say(
                "{stream}: {gaps}, {length} in all, where the device gave no values.",
                stream=line.id,
                gaps=say.some(len(line.gaps), "gap", "gaps"),
                length=say.duration(sum(g.seconds for g in line.gaps)),
            )
        )
        for line in s.streams
        if line.rate is None and line.gaps
    ]


def _events(say: Say, s: Summary) -> list[Block]:
    if not s.events:
        return []
    rows = tuple(
        Line(
            (
                words.clock(e.at_s),
                words.moment(s.start_ns + to_ns(e.at_s))[11:],
                say.told(e.kind.replace("_", " ")),
                say.duration(e.seconds) if e.seconds else "",
                e.text,
            )
        )
        for e in s.events[:MAX_EVENTS]
    )
    head = (*(say(n) for n in ("At", "UTC", "What", "Length")), "")
    timeline = Picture(say("Timeline of labels, marks, answers and connections"), charts.timeline(s, say))
    blocks: list[Block] = [timeline, Table(say("Labels, markers, notes and connections."), head, rows, (3,))]
    if (rest := len(s.events) - MAX_EVENTS) > 0:
        blocks.append(Para(say("And {n} more.", n=rest)))
    return [Section(say("Events"), tuple(blocks))]


def _quality(say: Say, s: Summary) -> list[Block]:
    if not s.quality:
        return []
    rows = []
    for q in s.quality:
        reasons = ", ".join(f"{say.told(reason.replace('_', ' '))}: {n}" for reason, n in q.reasons)
        usable = f"{q.level.usable}/{q.level.windows}"
        cells = (_capital(say.part(q.modality)), say.level(q.level, 2), usable, reasons)
        rows.append(Line(cells, q.level.share < THIN))
    head = tuple(say(n) for n in ("Signal", "Quality", "Windows", "Lowered by"))
    caption = say(
        "Quality from 0 to 1: median (and the range of the middle 80 %) over windows of {window} s. "
        "Numbers are made of the good parts of a window: a low quality leaves fewer of them.",
        window=f"{s.window_s:g}",
    )
    return [Section(say("Signal quality"), (Table(caption, head, tuple(rows), (1, 2), heading=True),))]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
