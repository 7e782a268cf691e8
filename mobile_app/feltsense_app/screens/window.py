"""The window: one screen a page, rebuilt when the language changes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kivy.app import App
from kivy.uix.screenmanager import NoTransition, ScreenManager

from feltsense_app.presenters.flow import Page
from feltsense_app.screens.theme import Theme
from feltsense_app.words import Words

if TYPE_CHECKING:
    from feltsense_app.presenters.flow import FlowState
    from feltsense_app.presenters.settings import SettingsState
    from feltsense_app.service.conductor import Conductor

__all__ = ["Window"]

ESCAPE = 27
"""Key code of Android's back button, too."""


class Window(App):  # type: ignore[misc]
    """The app.

    Parameters
    ----------
    conductor : Conductor
        Everything but the window.
    """

    title = "feltsense"

    def __init__(self, conductor: Conductor) -> None:
        super().__init__()
        self.conductor = conductor
        self.seen = asyncio.Event()
        """Set when the first frame was drawn."""
        self.theme = Theme()
        self.words = Words(conductor.settings.state.language)
        self.theme.apply(conductor.settings.state)

    def build(self) -> ScreenManager:
        """Make the screens, follow the flow and the settings."""
        from kivy.core.window import Window as Surface

        Surface.clearcolor = self.theme.background
        Surface.bind(on_keyboard=lambda _w, key, *_: key == ESCAPE and self.conductor.flow.back())
        Surface.bind(on_flip=lambda *_: self.seen.set())
        self.manager = ScreenManager(transition=NoTransition())
        self._screens()
        self.conductor.settings.watch(self._look)
        self.conductor.flow.watch(self._go)
        return self.manager

    def on_stop(self) -> None:
        """Nothing is shown any more; the recording ends behind it."""
        self.manager.current_screen.on_leave()

    def on_resume(self) -> None:
        """Back from the phone's settings, where a permission may have been given."""
        if self.conductor.permissions is not None:
            self.conductor.permissions.again()

    def name_of(self, kind: str, what: str) -> str:
        """A model, signal or modality for people; its own name, where no language has one."""
        if f"{kind}.{what}" in self.words:
            return self.words(f"{kind}.{what}")
        return self.words(f"{kind}.other", model=what) if f"{kind}.other" in self.words else what

    def _screens(self) -> None:
        from feltsense_app.screens import (
            consent,
            home,
            join,
            leave,
            live,
            neutral,
            pair,
            permissions,
            prompt,
            results,
            settings,
            wizard,
        )

        c = self.conductor
        made = {
            Page.JOIN: join.JoinScreen("join", lambda: c.join),
            Page.CONSENT: consent.ConsentScreen("consent", lambda: c.consent),
            Page.PERMISSIONS: permissions.PermissionsScreen("permissions", lambda: c.permissions),
            Page.PAIR: pair.PairScreen("pair", lambda: c.pair),
            Page.WIZARD: wizard.WizardScreen("wizard", lambda: c.wizard),
            Page.NEUTRAL: neutral.NeutralScreen("neutral", lambda: c.neutral),
            Page.HOME: home.HomeScreen("home", lambda: c.home),
            Page.LIVE: live.LiveScreen("live", lambda: c.live),
            Page.RESULTS: results.ResultsScreen("results", lambda: c.results),
            Page.PROMPT: prompt.PromptScreen("prompt", lambda: c.prompts),
            Page.SETTINGS: settings.SettingsScreen("settings", lambda: c.settings),
            Page.LEAVE: leave.LeaveScreen("leave", lambda: c.leave),
            Page.GOODBYE: leave.GoodbyeScreen("goodbye", lambda: c.leave),
        }
        for screen in made.values():
            self.manager.add_widget(screen)

    def _go(self, state: FlowState) -> None:
        self.manager.current = state.page.value

    def _look(self, settings: SettingsState) -> None:
        from kivy.core.window import Window as Surface

        self.theme.apply(settings)
        Surface.clearcolor = self.theme.background
        if settings.language != self.words.language:
            self.words = Words(settings.language)
            here = self.manager.current
            self.manager.clear_widgets()
            self._screens()
            self.manager.current = here
