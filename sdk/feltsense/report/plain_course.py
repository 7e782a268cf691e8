"""A course over days for the person who was recorded: plain words, nothing to be graded by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feltsense.report import words
from feltsense.report.blocks import Block, Document, Grid, Head, Items, Para, Picture, Section, Terms
from feltsense.report.content import limits
from feltsense.report.course import RECENT_DAYS
from feltsense.report.course_content import small_charts
from feltsense.report.plain import learned, yours
from feltsense.report.say import Say

if TYPE_CHECKING:
    from feltsense.report.course import Course
    from feltsense.report.tally import Card

__all__ = ["plain_days"]

# Above, below, within the person's own range of the days before.
_SENTENCES = {
    "hr": ("Your heart beat faster than in the days before: {now} instead of {before} times a minute.",
           "Your heart beat more slowly than in the days before: {now} instead of {before} times a minute.",
           "Your heart beat as in the days before: {now} times a minute."),
    "rmssd": ("The time from beat to beat varied more than in the days before.",
              "The time from beat to beat varied less than in the days before.",
              "The time from beat to beat varied as in the days before."),
    "scl": ("Your skin was moister than in the days before.", "Your skin was drier than in the days before.",
            "Your skin was as moist as in the days before."),
    "temperature": ("Your skin was warmer than in the days before: {now} instead of {before} °C.",
                    "Your skin was cooler than in the days before: {now} instead of {before} °C.",
                    "Your skin was as warm as in the days before: {now} °C."),
}  # fmt: skip
_OF = {
    "ecg.hr": "hr", "ppg.hr": "hr", "ecg.rmssd": "rmssd", "ppg.prv_rmssd": "rmssd", "eda.scl_mean": "scl",
    "skin_temperature.mean": "temperature",
}  # fmt: skip
_TITLES = {"hr": "How often your heart beat a minute", "temperature": "How warm your skin was, °C"}


def plain_days(course: Course, contact: str = "", language: str = "en", made_by: Card | None = None) -> Document:
    """Say a course in plain words.

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
    title = say("Your last {n} days", n=len(course.days))
    length = say.duration(sum(d.seconds for d in course.days))
    lead = say("You recorded on {n} of {all} days, {length} in all.", n=course.recorded, all=len(course.days), length=length)
    whom = contact or say("the person who gave it to you")
    foot = say("Questions about this report: {whom}.", whom=whom)
    span = f"{course.days[0].day.isoformat()} – {course.days[-1].day.isoformat()}"
    terms = ((say("Your code"), course.subject), (say("When"), span), (say("Devices"), ", ".join(course.devices)))
    covered = say("The sensors delivered data for {share} of the time.", share=say.percent(course.coverage))
    blocks: list[Block] = [
        Head(title, lead, say(words.IN_SHORT)),
        Terms(terms),
        Section(say("What was recorded"), (Para(covered),)),
        _body(say, course),
        *_pictures(say, course),
        *_estimate(say, course, made_by),
        limits(say, foot),
        yours(say, whom),
    ]
    return Document(title, language, tuple(blocks), foot)


def _body(say: Say, c: Course) -> Section:
    told = []
    for feature, _, unit in c.features:
        sentences, recent = _SENTENCES.get(_OF.get(feature, "")), c.recent(feature)
        before, low, high = c.range(feature)
        if sentences is None or not math.isfinite(recent) or not math.isfinite(before):
            continue
        digits = 0 if unit == "bpm" else 1
        which = 0 if recent > high else 1 if recent < low else 2
        told.append(say(sentences[which], now=say.number(recent, digits), before=say.number(before, digits)))
    if not told:
        text = say("There are not enough days with usable data to compare.")
        return Section(say("How your body was"), (Para(text),))
    return Section(say("How your body was in the last {n} days", n=RECENT_DAYS), (Items(tuple(told)),))


def _pictures(say: Say, c: Course) -> list[Block]:
    """Heart, skin temperature and own answers; what needs an explanation stays in the other version."""
    drawn = small_charts(say, c)
    chosen = []
    for (feature, _, _), picture in zip(c.features, drawn, strict=False):
        if (kind := _OF.get(feature)) in _TITLES:
            chosen.append(Picture(say(_TITLES[kind or ""]), picture.svg))
    prompts = len({a.prompt for d in c.days for a in d.answers})
    chosen += drawn[len(drawn) - prompts :]
    if not chosen:
        return []
    text = say("Each dot is a day. Grey dots: too few data to lean on. Grey area: how it usually was before.")
    return [Section(say("Day by day"), (Para(text), Grid(tuple(chosen))))]


def _estimate(say: Say, c: Course, made_by: Card | None) -> list[Block]:
    t = c.tally
    if t is None or not t.outside:
        return []
    text = say(
        "In {n} of {all} minutes it would say “{about}”; "
        "in {silent} it says nothing, because it is not sure or has no data.",
        n=t.hits,
        all=t.outside,
        about=say.told(t.about),
        silent=t.outside - t.decided,
    )
    more = say("It can be wrong. What you felt yourself counts more.")
    model = learned(say, None if made_by is None else made_by.model)
    return [Section(say("What the program makes of it"), (Para(text), Para(more), *model))]
