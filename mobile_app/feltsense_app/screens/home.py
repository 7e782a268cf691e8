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
        self.band.clear_widgets()
        self.band.add_widget(Title(text=f"{SIGNS[state.level]}  {w('level.' + state.level)}", role="status_text"))
        self.band.add_widget(Words(text=w(state.sentence, **dict(state.places)), role="status_text"))
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
        w = self.words
        self.sensors.clear_widgets()
        if status.inference:
            badge = Card(edge="accent")
            badge.add_widget(Words(text=w("home.badge"), bold=True, role="accent"))
            self.sensors.add_widget(badge)
        for s in status.sensors:
            card = Card(edge="good" if s.streaming else "bad")
            missing = f", {w('home.missing', count=s.missing)}" if s.missing else ""
            charge = "" if s.battery is None else f", {w('home.battery', percent=round(s.battery * 100))}"
            now = w("home.streaming" if s.streaming else "home.searching")
            card.add_widget(Words(text=f"{s.name}: {now}{charge}{missing}"))
            self.sensors.add_widget(card)
        parts = [] if math.isinf(status.free_bytes) else [w("home.space", gigabytes=status.free_bytes / 1e9)]
        parts += [] if status.battery is None else [w("home.battery", percent=round(status.battery * 100))]
        self.sensors.add_widget(Small(text=", ".join(parts)))
        if status.unsealed:
            self.sensors.add_widget(Small(text=w("home.unsealed", why=status.unsealed)))
