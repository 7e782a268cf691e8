"""A session's report for the person who was recorded: plain words, no abbreviations, nothing to be graded by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feltsense.report import charts, words
from feltsense.report.blocks import Block, Document, Head, Items, Para, Picture, Section, Terms
from feltsense.report.content import legend, limits
from feltsense.report.say import Say

if TYPE_CHECKING:
    from feltsense.report.figures import Figure
    from feltsense.report.summary import ModelLine, Summary

__all__ = ["learned", "plain", "yours"]

_NEAR = 0.02
"""A change below this part of the value at rest is called no difference: the sensors do not measure finer."""
_MORE_LESS = {
    "ecg.hr": ("Your heart beat faster than at rest: {now} instead of {rest} times a minute.",
               "Your heart beat more slowly than at rest: {now} instead of {rest} times a minute.",
               "Your heart beat as at rest: {now} times a minute."),
    "ecg.rmssd": ("The time from beat to beat varied more than at rest.",
                  "The time from beat to beat varied less than at rest.",
                  "The time from beat to beat varied as at rest."),
    "eda.scl_mean": ("Your skin was moister than at rest.", "Your skin was drier than at rest.",
                     "Your skin was as moist as at rest."),
    "skin_temperature.mean": ("Your skin was warmer than at rest: {now} instead of {rest} °C.",
                              "Your skin was cooler than at rest: {now} instead of {rest} °C.",
                              "Your skin was as warm as at rest: {now} °C."),
}  # fmt: skip
_SAME = {"ppg.hr": "ecg.hr", "ppg.prv_rmssd": "ecg.rmssd"}
_DIGITS = {"ecg.hr": 0, "skin_temperature.mean": 1}


def plain(summary: Summary, contact: str = "", language: str = "en") -> Document:
    """Say a session's report in plain words.

    Parameters
    ----------
    summary : Summary
        What to say.
    contact : str, optional
        Whom to ask about it.
    language : str
        ``en`` or ``de``.
    """
    say = Say(language)
    title = say("Your recording")
    lead = say(
        "You were recorded for {length}, from {start} (UTC).",
        length=say.duration(summary.seconds),
        start=words.moment(summary.start_ns)[:16],
    )
    whom = contact or say("the person who gave it to you")
    foot = say("Questions about this report: {whom}.", whom=whom)
    blocks: list[Block] = [
        Head(title, lead, say(words.IN_SHORT)),
        Terms(((say("Your code"), summary.subject), (say("Devices"), ", ".join(summary.devices)))),
        _data(say, summary),
        *_body(say, summary),
        *_estimate(say, summary),
        *_own(say, summary),
        limits(say, foot),
        yours(say, whom),
    ]
    return Document(title, language, tuple(blocks), foot)


def yours(say: Say, whom: str) -> Section:
    """What a participant may do with the data, and whom to ask."""
    rights = (
        say("You may ask for a copy of everything that was recorded."),
        say("You may stop at any time, without a reason, and have your recordings erased."),
        say("If something here worries you, talk to somebody you trust, or ask: {whom}.", whom=whom),
    )
    return Section(say("Your data are yours"), (Items(rights),))


def learned(say: Say, model: ModelLine | None) -> list[Block]:
    """Where the program has its knowledge from, in a sentence."""
    if model is None or not model.training:
        return []
    return [Para(say("The program has learned from other people: {data}.", data=say.told(model.training)), small=True)]


def _own(say: Say, s: Summary) -> list[Block]:
    if not s.answers:
        return []
    told = tuple(f"{words.clock(a.at_s)}  {a.prompt}: {say.point(f'{a.value:g}')}" for a in s.answers)
    return [Section(say("What you said yourself"), (Items(told, counts=True),))]


def _data(say: Say, s: Summary) -> Section:
    text = say("The sensors delivered data for {share} of the time.", share=say.percent(s.coverage))
    if s.sampled_gaps:
        text += " " + say("There were {gaps}; nothing was filled in.", gaps=say.some(len(s.sampled_gaps), "gap", "gaps"))
    return Section(say("What was recorded"), (Para(text),))


def _body(say: Say, s: Summary) -> list[Block]:
    told = [t for t in (_sentence(say, f) for f in s.figures) if t]
    if not told:
        text = say("There is no rest of yours to compare with, or not enough usable data.")
        return [Section(say("How your body was"), (Para(text),))]
    return [Section(say("How your body was"), (Items(tuple(told)),))]


def _sentence(say: Say, f: Figure) -> str:
    known = _MORE_LESS.get(_SAME.get(f.feature, f.feature))
    if known is None or f.thin or not math.isfinite(f.change):
        return ""
    near = abs(f.change) <= _NEAR * abs(f.rest.median)
    template = known[2] if near else known[0] if f.change > 0 else known[1]
    digits = _DIGITS.get(_SAME.get(f.feature, f.feature), 1)
    return say(template, now=say.number(f.after.median, digits), rest=say.number(f.rest.median, digits))


def _estimate(say: Say, s: Summary) -> list[Block]:
    e = s.estimate
    if e is None or not e.outside:
        return []
    about = dict(e.labels).get(e.about, 0)
    text = say(
        "The program compared your signals with your own rest. In {n} of {all} pieces of time it would say “{about}”; "
        "in {silent} it says nothing, because it is not sure or has no data.",
        n=about,
        all=e.outside,
        about=say.told(e.about),
        silent=e.outside - e.decided,
    )
    more = say("It can be wrong. What you felt yourself counts more.")
    picture = Picture(say("When it would say so: dark pieces below"), charts.decisions(s, e, say))
    parts = (Para(text), Para(more), picture, legend(say, e), *learned(say, s.model))
    return [Section(say("What the program makes of it"), parts)]
