"""One colour and one sentence; below it the sensors, and the ways to the other screens."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from feltsense_app.presenters.flow import Page
from feltsense_app.screens.marking import Marking
from feltsense_app.screens.widgets import Act, Band, Card, Column, PageScreen, Row, Small, Title, Words

if TYPE_CHECKING:
    from feltsense_app.presenters.home import HomeState, Status

__all__ = ["HomeScreen"]

WAYS = (Page.LIVE, Page.RESULTS, Page.SETTINGS, Page.LEAVE)

SIGNS = {"good": "+", "warn": "!", "bad": "x", "idle": "-"}
"""A sign beside the word, for who sees no colours."""


class HomeScreen(PageScreen):
    """Home."""

    title_key = "home.title"

    def build(self) -> None:
        """The marks and the ways on stay; the rest follows the state."""
        w, flow = self.words, self.c.flow
        self.band, self.asked, self.sensors, self.button = Band(), Column(), Column(), Act("", self.c.home.press)
        self.word, self.sentence = Title(role="status_text"), Words(role="status_text")
        self.band.add_widget(self.word)
        self.band.add_widget(self.sentence)
        self.lines: list[tuple[str, Words]] = []
        ways = [Act(w(f"{page}.title"), partial(flow.go, page)) for page in WAYS]
        self.put(self.band, Marking(w, self.c.markers), self.asked, self.sensors)
        for pair in (ways[:2], ways[2:]):
            row = Row()
            for way in pair:
                row.add_widget(way)
            self.put(row)
        self.foot(Small(text=w("crisis", crisis=self.c.study.crisis)), self.button)

    def show(self, state: HomeState) -> None:
        """The band first."""
        w = self.words
        self.band.level = state.level.value
        self.word.text = f"{SIGNS[state.level]}  {w('level.' + state.level)}"
        self.sentence.text = w(state.sentence, **dict(state.places))
        idle = state.status.paused or not state.status.recording
        self.button.text, self.button.main = w("home.resume" if idle else "home.pause"), idle
        self._ask(waiting=self.c.prompts is not None and self.c.prompts.state.waiting is not None)
        self._details(state.status)

    def _ask(self, waiting: bool) -> None:
        """What can be touched stays where it is, whatever else changes every second."""
        if waiting and not self.asked.children:
            self.asked.add_widget(Act(self.words("prompt.waiting"), lambda: self.c.flow.go(Page.PROMPT), main=True))
        elif not waiting:
            self.asked.clear_widgets()

    def _details(self, status: Status) -> None:
        """The same lines as before only change their words: a line made anew moves what a finger is on."""
        said = self._said(status)
        if [edge for edge, _ in said] != [edge for edge, _ in self.lines]:
            self.sensors.clear_widgets()
            self.lines = [(edge, self._line(edge)) for edge, _ in said]
        for (_, text), (_, line) in zip(said, self.lines, strict=True):
            line.text = text

    def _line(self, edge: str) -> Words:
        if not edge:
            small = Small()
            self.sensors.add_widget(small)
            return small
        badge = edge == "accent"
        card, line = Card(edge=edge), Words(bold=badge, role="accent" if badge else "text")
        card.add_widget(line)
        self.sensors.add_widget(card)
        return line

    def _said(self, status: Status) -> list[tuple[str, str]]:
        """Edge of the card, none without a card, and words of each line."""
        w = self.words
        said = [("accent", w("home.badge"))] if status.inference else []
        for s in status.sensors:
            missing = f", {w('home.missing', count=s.missing)}" if s.missing else ""
            charge = "" if s.battery is None else f", {w('home.battery', percent=round(s.battery * 100))}"
            now = w("home.streaming" if s.streaming else "home.searching")
            said.append(("good" if s.streaming else "bad", f"{s.name}: {now}{charge}{missing}"))
        parts = [] if math.isinf(status.free_bytes) else [w("home.space", gigabytes=status.free_bytes / 1e9)]
        parts += [] if status.battery is None else [w("home.battery", percent=round(status.battery * 100))]
        said.append(("", ", ".join(parts)))
        if status.unsealed:
            said.append(("", w("home.unsealed", why=status.unsealed)))
        return said
