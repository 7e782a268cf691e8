"""What a longitudinal report says: a course over days as blocks; and a study's coverage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feltsense.report import words
from feltsense.report.blocks import Block, Document, Head, Line, NewPage, Para, Picture, Section, Table, Terms
from feltsense.report.content import DIGITS, limits
from feltsense.report.course import RECENT_DAYS
from feltsense.report.day_chart import Dot, day_chart, grid_chart
from feltsense.report.say import Say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from feltsense.report.course import Course

__all__ = ["dashboard", "over_days"]


def over_days(course: Course, contact: str = "", language: str = "en") -> Document:
    """Say a person's course over days.

    Parameters
    ----------
    course : Course
        What to say.
    contact : str, optional
        Whom to ask about it.
    language : str
        ``en`` or ``de``.
    """
    say = Say(language)
    title = say("Course over {n} days: {subject}", n=len(course.days), subject=course.subject)
    sum_of = {"n": course.recorded, "all": len(course.days), "length": _hours(say, course)}
    lead = say("{n} of {all} days have a recording, {length} in all.", **sum_of)
    whom = contact or say("the person who gave it to you")
    rows = [
        (say("Person"), course.subject),
        (say("From"), course.days[0].day.isoformat()),
        (say("To"), course.days[-1].day.isoformat()),
        (say("Devices"), ", ".join(course.devices)),
        (say("Coverage"), say.percent(_coverage(course))),
    ]
    if course.corrected is not None:
        rows.append((say("Beats corrected"), say.percent(course.corrected)))
    blocks: list[Block] = [
        Head(title, lead, say(words.IN_SHORT)),
        Terms(tuple(rows)),
        _numbers(say, course),
        limits(say),
        *_trends(say, course),
        *_answers(say, course),
        NewPage(),
        _days(say, course),
    ]
    return Document(title, language, tuple(blocks), say("Questions about this report: {whom}.", whom=whom))


def dashboard(courses: Sequence[Course], unreadable: Sequence[str] = (), language: str = "en") -> Document:
    """Say who of a study recorded how much on which day; courses of the same span."""
    say = Say(language)
    title = say("Coverage of a study")
    rows = []
    for c in courses:
        with_data = [d for d in c.days if d.sessions]
        rows.append(
            Line(
                (
                    c.subject,
                    str(sum(d.sessions for d in c.days)),
                    f"{len(with_data)}/{len(c.days)}",
                    _hours(say, c),
                    say.percent(_coverage(c)),
                    with_data[-1].day.isoformat() if with_data else "–",
                ),
                thin=len(with_data) < len(c.days) / 2,
            )
        )
    head = tuple(say(n) for n in ("Person", "Sessions", "Days", "Recorded", "Coverage", "Last day"))
    days: list[date] = [d.day for d in courses[0].days] if courses else []
    shares = [(c.subject, [d.coverage if d.sessions else 0.0 for d in c.days]) for c in courses]
    told = "; ".join(f"{c.subject}: {c.recorded}" for c in courses)
    chart = grid_chart(
        "grid", (say("Days with data"), say("Days with data of each person: {told}.", told=told)), days, shares
    )
    blocks: list[Block] = [
        Head(title, say.some(len(courses), "person", "people"), say("Recordings only: nothing here says how anybody felt.")),
        Section(
            say("Who recorded when"),
            (
                Picture(say("Each square is a day: white without a recording, the darker, the more of it has data"), chart),
                Table(say("Grey: fewer than half of the days."), head, tuple(rows), (1, 2, 3, 4), heading=True),
            ),
        ),
    ]
    if unreadable:
        lines = tuple(Para(text) for text in unreadable)
        blocks.append(Section(say("Files that could not be read"), lines))
    return Document(title, language, tuple(blocks))


def _numbers(say: Say, c: Course) -> Section:
    head = ("", say("Own range"), say("Last {n} days", n=RECENT_DAYS), say("Change"), say("Usable days"))
    rows = []
    for feature, title, unit in c.features:
        d = DIGITS.get(unit, 1)
        median, low, high = c.range(feature)
        recent = c.recent(feature)
        usable = len(c.good(feature))
        own = "–"
        if math.isfinite(median):
            numbers = {"median": say.number(median, d), "low": say.number(low, d), "high": say.number(high, d)}
            own = say("{median} ({low} to {high})", **numbers)
        cells = (
            f"{say(title)}, {unit}",
            own,
            say.number(recent, d),
            say.signed(recent - median, d),
            f"{usable}/{len(c.days)}",
        )
        rows.append(Line(cells, usable < len(c.days) / 2))
    caption = say(
        "Own range: median (and middle 80 %) of this person's usable days before the last {n}. No other people are in it. "
        "A day is usable with at least ten usable minutes, and half of its minutes usable.",
        n=RECENT_DAYS,
    )
    if not rows:
        return Section(say("Numbers"), (Para(say("No number could be measured on any of these days.")),))
    return Section(say("Numbers"), (Table(caption, head, tuple(rows), (1, 2, 3, 4), heading=True),))


def _trends(say: Say, c: Course) -> list[Block]:
    pictures = []
    for n, (feature, title, unit) in enumerate(c.features):
        dots = []
        for day in c.days:
            t = day.trends.get(feature)
            dots.append(Dot(day.day, math.nan, 0.0, True) if t is None else Dot(day.day, t.median, t.share, t.thin))
        _, low, high = c.range(feature)
        guide = (low, high, say("own range")) if math.isfinite(low) else None
        known = [d.value for d in dots if math.isfinite(d.value)]
        described = say(
            "{title}: {n} days with a value, {thin} of them thin, from {low} to {high} {unit}.",
            title=say(title),
            n=len(known),
            thin=sum(d.thin for d in dots if math.isfinite(d.value)),
            low=say.point(f"{min(known):.3g}") if known else "–",
            high=say.point(f"{max(known):.3g}") if known else "–",
            unit=unit,
        )
        words_of = (say("{title} over the days", title=say(title)), described)
        chart = day_chart(f"days-{n}", words_of, dots, guide, (say("usable"), say.language == "de"))
        pictures.append(Picture(f"{say(title)}, {unit}", chart))
    if not pictures:
        return []
    text = say("Grey dots and bars are days with too little usable data. Bars: usable share of each day's minutes.")
    return [Section(say("Day by day"), (Para(text, small=True), *pictures))]


def _answers(say: Say, c: Course) -> list[Block]:
    prompts = sorted({a.prompt for d in c.days for a in d.answers})
    pictures = []
    for n, prompt in enumerate(prompts):
        dots = []
        for d in c.days:
            values = [a.value for a in d.answers if a.prompt == prompt]
            mean = sum(values) / len(values) if values else math.nan
            dots.append(Dot(d.day, mean, 1.0 if values else 0.0, not values))
        count = sum(a.prompt == prompt for d in c.days for a in d.answers)
        described = say("Own answers to “{prompt}”: {n} answers.", prompt=prompt, n=count)
        words_of = (say("Own answers to “{prompt}”", prompt=prompt), described)
        chart = day_chart(f"answers-{n}", words_of, dots, None, (say("answered"), say.language == "de"))
        pictures.append(Picture(say("Own answers to “{prompt}”", prompt=prompt), chart))
    return [Section(say("What the person said"), tuple(pictures))] if pictures else []


def _days(say: Say, c: Course) -> Section:
    titles = tuple(f"{say(t)}, {u}" for _, t, u in c.features)
    head = (say("Day"), say("Recorded"), say("Coverage"), *titles)
    rows = []
    for d in c.days:
        cells = []
        for feature, _, unit in c.features:
            t = d.trends.get(feature)
            digits = DIGITS.get(unit, 1)
            cells.append("–" if t is None else f"{say.number(t.median, digits)} ({t.usable}/{t.windows})")
        thin = not d.sessions or all(t.thin for t in d.trends.values())
        recorded = say.duration(d.seconds) if d.sessions else "–"
        rows.append(Line((d.day.isoformat(), recorded, say.percent(d.coverage) if d.sessions else "–", *cells), thin))
    caption = say("Median of each day's usable minutes (and how many of how many). Grey: thin, or nothing recorded.")
    numbers = tuple(range(1, len(head)))
    return Section(say("All days"), (Table(caption, head, tuple(rows), numbers, heading=True),))


def _coverage(c: Course) -> float:
    seconds = sum(d.seconds for d in c.days)
    return sum(d.seconds * d.coverage for d in c.days) / seconds if seconds else 0.0


def _hours(say: Say, c: Course) -> str:
    return say.duration(sum(d.seconds for d in c.days))
