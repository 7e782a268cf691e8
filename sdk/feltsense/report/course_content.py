"""What a longitudinal report says: a course over days as blocks; and a study's coverage."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feltsense.report import words
from feltsense.report.blocks import Block, Document, Grid, Head, Items, Line, NewPage, Para, Picture, Section, Table, Terms
from feltsense.report.content import DIGITS, limits, model_card
from feltsense.report.course import RECENT_DAYS, Trend
from feltsense.report.day_chart import Dot, day_chart, grid_chart
from feltsense.report.say import Say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from feltsense.report.course import Course, Day
    from feltsense.report.tally import Card

__all__ = ["dashboard", "mean_answer", "over_days", "small_charts"]

MOST_SMALL = 8
"""Charts for which page one has room; further ones stand on the next."""


def over_days(course: Course, contact: str = "", language: str = "en", made_by: Card | None = None) -> Document:
    """Say a person's course over days: page one, then every day's numbers.

    Parameters
    ----------
    course : Course
        What to say.
    contact : str, optional
        Whom to ask about it.
    language : str
        ``en`` or ``de``.
    made_by : Card, optional
        The model that made the estimates.
    """
    say = Say(language)
    title = say("Course over {n} days: {subject}", n=len(course.days), subject=course.subject)
    sum_of = {"n": course.recorded, "all": len(course.days), "length": _hours(say, course)}
    lead = say("{n} of {all} days have a recording, {length} in all.", **sum_of)
    whom = contact or say("the person who gave it to you")
    foot = say("Questions about this report: {whom}.", whom=whom)
    rows = [
        (say("Person"), course.subject),
        (say("From"), course.days[0].day.isoformat()),
        (say("To"), course.days[-1].day.isoformat()),
        (say("Devices"), ", ".join(course.devices)),
        (say("Coverage"), say.percent(course.coverage)),
    ]
    if course.corrected is not None:
        rows.append((say("Beats corrected"), say.percent(course.corrected)))
    if made_by is not None:
        rows.append((say("Calibration"), say(made_by.calibration)))
    small = small_charts(say, course)
    blocks: list[Block] = [
        Head(title, lead, say(words.IN_SHORT)),
        Terms(tuple(rows)),
        *_notices(say, course, made_by),
        _numbers(say, course),
        *_estimates(say, course, made_by),
        *_trends(say, small[:MOST_SMALL]),
        limits(say, foot),
        NewPage(),
        *([Grid(tuple(small[MOST_SMALL:]))] if small[MOST_SMALL:] else []),
        _days(say, course),
        *_said(say, course),
    ]
    return Document(title, language, tuple(blocks), foot)


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
                    _hours(say, c) if with_data else "–",
                    say.percent(c.coverage) if with_data else "–",
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


def _notices(say: Say, c: Course, made_by: Card | None) -> list[Block]:
    if made_by is None or made_by.subject in ("", c.subject):
        return []
    whose = (
        "The profile belongs to {one}, the recording to {other}: "
        "the comparison with the own baseline holds only if they are the same person."
    )
    told = Items((say(whose, one=made_by.subject, other=c.subject),))
    return [Section(say("Before you read"), (told,), "notice")]


def _estimates(say: Say, c: Course, made_by: Card | None) -> list[Block]:
    t = c.tally
    if t is None:
        return [Section(say("Estimate"), (Para(say("No model was applied.")),))]
    told = []
    if t.outside:
        text = "Of {all} minutes outside the calibration {decided} ({share}) have an estimate; {n} of these are “{about}”."
        share = say.percent(t.decided / t.outside)
        told.append(say(text, all=t.outside, decided=t.decided, share=share, n=t.hits, about=say.told(t.about)))
    else:
        told.append(say("No window outside the calibration."))
    if t.silent:
        reasons = "; ".join(f"{say.silence(reason)}: {n}" for reason, n in t.silent.items())
        told.append(say("No estimate in {n} minutes ({reasons}).", n=t.outside - t.decided, reasons=reasons))
    if t.open:
        told.append(say("In {n} of the {all} decided minutes the other class cannot be ruled out.", n=t.open, all=t.decided))
    if t.calibration:
        told.append(say("{n} windows overlap the calibration interval and are not counted.", n=t.calibration))
    model = model_card(say, None if made_by is None else made_by.model)
    return [Section(say("Estimate: {target}", target=say.told(t.target)), (Para(" ".join(told)), *model))]


def small_charts(say: Say, c: Course) -> list[Picture]:
    """A chart of each number over the days, of the estimates, and of the answers to each prompt."""
    out = []
    for n, (feature, title, unit) in enumerate(c.features):
        _, low, high = c.range(feature)
        guide = (low, high) if math.isfinite(low) else None
        found = [d.trends.get(feature) for d in c.days]
        out.append(_picture(say, c, f"days-{n}", (say(title), unit), found, guide))
    if (t := c.tally) is not None and t.outside:
        title = say("Minutes estimated as “{about}”", about=say.told(t.about))
        shares = [None if (e := d.estimates) is None else Trend(100 * e.median, e.usable, e.windows) for d in c.days]
        out.append(_picture(say, c, "days-estimate", (title, "%"), shares, None))
    for n, prompt in enumerate(_prompts(c)):
        dots = []
        for d in c.days:
            mean = mean_answer(d, prompt)
            dots.append(Dot(d.day, mean, float(math.isfinite(mean)), not math.isfinite(mean)))
        count = sum(a.prompt == prompt for d in c.days for a in d.answers)
        title = say("Own answers to “{prompt}”", prompt=prompt)
        described = say("Own answers to “{prompt}”: {n} answers.", prompt=prompt, n=count)
        out.append(Picture(title, day_chart(f"answers-{n}", (title, described), dots, None, say.language == "de")))
    return out


def _picture(
    say: Say, c: Course, ident: str, named: tuple[str, str], found: Sequence[Trend | None], guide: tuple[float, float] | None
) -> Picture:
    title, unit = named
    pairs = zip(c.days, found, strict=True)
    dots = [Dot(d.day, math.nan, 0.0, True) if t is None else Dot(d.day, t.median, t.share, t.thin) for d, t in pairs]
    known = [d.value for d in dots if math.isfinite(d.value)]
    described = say(
        "{title}: {n} days with a value, {thin} of them thin, from {low} to {high} {unit}.",
        title=title,
        n=len(known),
        thin=sum(d.thin for d in dots if math.isfinite(d.value)),
        low=say.point(f"{min(known):.3g}") if known else "–",
        high=say.point(f"{max(known):.3g}") if known else "–",
        unit=unit,
    )
    words_of = (say("{title} over the days", title=title), described)
    return Picture(f"{title}, {unit}", day_chart(ident, words_of, dots, guide, say.language == "de"))


def _trends(say: Say, small: Sequence[Picture]) -> list[Block]:
    if not small:
        return []
    text = say(
        "Grey area: own range. Bars: usable share of each day, or an answer. Grey dots and bars: too little usable data."
    )
    return [Section(say("Day by day"), (Para(text, small=True), Grid(tuple(small))))]


def _prompts(c: Course) -> list[str]:
    return sorted({a.prompt for d in c.days for a in d.answers})


def mean_answer(day: Day, prompt: str) -> float:
    """Mean of a day's answers to a prompt; NaN without."""
    values = [a.value for a in day.answers if a.prompt == prompt]
    return sum(values) / len(values) if values else math.nan


def _said(say: Say, c: Course) -> list[Block]:
    """Estimates and answers of each day, as a table beside the numbers'."""
    prompts = _prompts(c)
    if not prompts and c.tally is None:
        return []
    about = "" if c.tally is None else say.told(c.tally.about)
    head = [say("Day")]
    if c.tally is not None:
        head += [say("Minutes estimated as “{about}”", about=about), say("No estimate")]
    rows = []
    for d in (d for d in c.days if d.tally or d.answers):
        cells = [d.day.isoformat()]
        if c.tally is not None:
            t = d.tally
            cells += ["–", "–"] if t is None else [f"{t.hits}/{t.decided}", f"{t.outside - t.decided}/{t.outside}"]
        cells += [say.number(mean_answer(d, p), 1) for p in prompts]
        rows.append(Line(tuple(cells), d.estimates is not None and d.estimates.thin))
    caption = say("Minutes of all minutes with an estimate, minutes without one, and the mean of the day's own answers.")
    columns = tuple(range(1, len(head) + len(prompts)))
    table = Table(caption, (*head, *(f"“{p}”" for p in prompts)), tuple(rows), columns, heading=True)
    return [Section(say("Estimates and answers of each day"), (table,))]


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


def _hours(say: Say, c: Course) -> str:
    return say.duration(sum(d.seconds for d in c.days))
