"""Drives the app's window by touches, takes a picture of every screen, and looks for what is too small to touch.

drive_window.py PICTURES FILES WIDTHxHEIGHT light|dark|contrast LANGUAGE [neutral]

With `neutral` the study asks for camera and microphone, and it ends with the steps after the rest.
"""

import asyncio
import itertools
import logging
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

OUT, FILES, SIZE, LOOK, LANGUAGE = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:6]
FILES.mkdir(parents=True, exist_ok=True)
logging.getLogger("bumble").setLevel(logging.ERROR)

from kivy.config import Config  # noqa: E402

for key, value in zip(("width", "height"), SIZE.split("x"), strict=True):
    Config.set("graphics", key, value)
Config.set("graphics", "maxfps", "30")

import numpy as np  # noqa: E402
from app_cases import on_the_air  # noqa: E402
from kivy.clock import Clock  # noqa: E402
from kivy.core.window import Window as Surface  # noqa: E402
from kivy.graphics.opengl import GL_RGB, GL_UNSIGNED_BYTE, glReadPixels  # noqa: E402
from kivy.tests.common import UnitTestTouch  # noqa: E402

from feltsense_app.screens.plots import MoodGrid, Trace  # noqa: E402
from feltsense_app.screens.widgets import Act, Field, Words  # noqa: E402
from feltsense_app.screens.window import Window  # noqa: E402
from feltsense_app.theme import TOUCH_DP  # noqa: E402

NEUTRAL = sys.argv[6:] == ["neutral"]
if NEUTRAL:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import neutral_cases

    from feltsense_app.service.invite import code_of

TOUCHES = 3
"""What a person tries before giving up; `LOST` tells which touches did nothing."""

SMALL, LOST = set(), []
NUMBER = iter(range(100))


def shown(window, kind):
    """Widgets of a kind on the screen that is seen, from the top."""
    found = (w for w in window.manager.current_screen.walk() if isinstance(w, kind))
    return sorted(found, key=lambda w: -w.to_window(*w.pos)[1])


async def until(holds, what, ticks=2500):
    for _ in range(ticks):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"it did not come to: {what}")


async def frames(n=3):
    """Wait for frames, not for seconds: what was changed has its place then, on a slow machine, too."""
    for _ in range(n):
        passed = asyncio.Event()
        Clock.schedule_once(lambda _, passed=passed: passed.set())
        await passed.wait()


async def press(window, key, **places):
    """Scroll to it and touch its middle, as a finger does, once it stands still."""
    text = window.words(key, **places)

    def found():
        return next((a for a in shown(window, Act) if a.text == text and not a.off), None)

    async def still():
        widget = found()
        if widget is None:
            return None
        body = window.manager.current_screen.ids.scroll
        if widget in list(body.walk()):
            body.scroll_to(widget, animate=False)
        await frames()
        where = widget.to_window(*widget.center)
        await frames()
        return where if found() is widget and widget.to_window(*widget.center) == where else None

    await until(found, f"{key} can be touched")
    for _ in range(TOUCHES):
        where = await still()
        for _ in range(100):
            if where is not None:
                break
            where = await still()
        assert where is not None, f"{key} does not stand still"
        if await touched(found(), where):
            return
        LOST.append(key)
    raise AssertionError(f"{key} was touched {TOUCHES} times, and did nothing")


async def touched(widget, where):
    """Down until the button has seen it, and up; whether it was released there."""
    released = []
    widget.fbind("on_release", released.append)
    finger = UnitTestTouch(*where)
    finger.touch_down()
    # A finger may still begin to scroll, so what scrolls hands it on some frames later.
    for _ in range(60):
        await frames(1)
        if widget.state == "down":
            break
    await asyncio.sleep(0.05)
    finger.touch_up()
    for _ in range(60):
        await frames(1)
        if released:
            break
    widget.funbind("on_release", released.append)
    await asyncio.sleep(0.15)
    await frames()
    return bool(released)


@contextmanager
def slow_frames():
    """A phone that has other things to do: some frames take a second."""
    takes = itertools.cycle((0.0, 0.0, 0.1, 1.0))
    event = Clock.schedule_interval(lambda _: time.sleep(next(takes)), 0)
    yield
    event.cancel()


async def picture(window, name):
    await asyncio.sleep(0.4)
    for w in (*shown(window, Act), *shown(window, Field)):
        if min(w.width, w.height) < TOUCH_DP - 0.5:
            SMALL.add(f"{name}: {getattr(w, 'text', '')} {w.width:.0f}x{w.height:.0f}")
        if isinstance(w, Act) and (w.texture_size[0] > w.width + 1 or w.texture_size[1] > w.height + 1):
            SMALL.add(f"{name}: text of {w.text} does not fit")
    Surface.screenshot(str(OUT / f"{SIZE}-{name}-{next(NUMBER):02d}-{LOOK}.png"))


async def first_half(window, c):
    await picture(window, "join")
    code, name = shown(window, Field)
    code.text = code_of(neutral_cases.STUDY, "demo-01") if NEUTRAL else "demo"
    await press(window, "join.look")
    assert name.text == "demo-01"
    await press(window, "join.yes")
    await until(lambda: window.manager.current == "consent", "consent")
    await picture(window, "consent")
    for _ in c.consent.state.asked:
        await press(window, "settings.off")
    shown(window, Field)[0].text = "demo-01"
    window.manager.current_screen.ids.scroll.scroll_y = 0
    await picture(window, "consent")
    await press(window, "consent.accept")
    await picture(window, "permissions")
    await press(window, "next")
    await until(lambda: len([p for p in c.pair.state.places if p.sensor]) == 2, "sensors")
    await picture(window, "pair")
    await press(window, "pair.start")
    await picture(window, "wizard")
    await until(lambda: c.recorder.recording, "recording")
    await press(window, "wizard.begin")
    await asyncio.sleep(1.0)
    await picture(window, "wizard")
    await until(lambda: c.wizard.state.phase.value == "done", f"rest {c.wizard.state}")
    await picture(window, "wizard")
    await press(window, "next")


async def steps(window, c):
    """In the dark, then in the light; read aloud; each seen while it is taken."""
    await until(lambda: window.manager.current == "neutral", "the steps")
    seen = threading.Event()

    def waiting(pieces):
        """A device whose second half comes when the picture of the first was taken."""
        for number, piece in enumerate(pieces):
            if number == 100:
                seen.wait(20)
            yield piece

    dark, face = neutral_cases.frames(neutral_cases.dark()), neutral_cases.frames()
    c.phone.looks[:] = [waiting(dark), waiting(face)]
    c.phone.hears[:] = [waiting(neutral_cases.sentence())]
    await picture(window, "neutral")
    for key in ("neutral.begin", "again"):
        seen.clear()
        await press(window, key)
        await until(lambda: c.neutral.state.share > 0.3, "a look")
        await picture(window, "neutral")
        seen.set()
        await until(lambda: c.neutral.state.at.value in ("again", "done"), f"a verdict {c.neutral.state}")
        await picture(window, "neutral")
    await press(window, "next")
    await picture(window, "neutral")
    seen.clear()
    await press(window, "neutral.begin")
    await until(lambda: c.neutral.state.share > 0.3, "a look")
    await picture(window, "neutral")
    seen.set()
    await until(lambda: c.neutral.state.at.value == "done", f"a verdict {c.neutral.state}")
    await press(window, "next")
    await until(lambda: window.manager.current == "home", "home")
    assert set(c.recorder.estimator.profile.each_s) == {"face", "voice"}
    # Without devices: the same page says so, and goes on.
    c.flow.again()
    await press(window, "wizard.begin")
    await until(lambda: c.wizard.state.phase.value == "done", f"rest {c.wizard.state}")
    await press(window, "next")
    await press(window, "neutral.begin")
    await until(lambda: c.neutral.state.at.value == "nothing", "no camera")
    await picture(window, "neutral")
    await press(window, "next")
    await press(window, "neutral.skip")
    await until(lambda: window.manager.current == "home", "home")


def dots_of(widget, colour):
    """How many dots of the window are of a colour inside a widget."""
    size = tuple(map(int, widget.size))
    dots = np.frombuffer(glReadPixels(*map(int, widget.to_window(*widget.pos)), *size, GL_RGB, GL_UNSIGNED_BYTE), np.uint8)
    return (abs(dots.reshape(-1, 3) - np.array(colour[:3]) * 255) < 2).all(axis=1).sum()


async def second_half(window, c):
    await until(lambda: c.results.state.label != "", "a result")
    await picture(window, "home")
    with slow_frames():
        await press(window, "home.mark")
        await picture(window, "home")
        await press(window, "home.mark.keep")
        await until(lambda: c.markers.state.count == 1, "a mark that is kept")
    await press(window, "live.title")
    await asyncio.sleep(1.0)
    await until(lambda: len(shown(window, Trace)) >= 4, "four curves")
    await picture(window, "live")
    sys.stdout.write(f"curves drawn: {sum(dots_of(t, window.theme.signal) > t.width / 4 for t in shown(window, Trace))}\n")
    await press(window, "back")
    drawn = c.live.state.drawn
    await asyncio.sleep(1.0)
    sys.stdout.write(f"redraws while hidden: {c.live.state.drawn - drawn}\n")
    await press(window, "results.title")
    await picture(window, "results")
    c.settings.dark(on=LOOK != "dark")
    await frames()
    assert all(list(w.color) == window.theme.colour(w.role) for w in shown(window, Words)), "colours of another palette"
    c.settings.dark(on=LOOK == "dark")
    await press(window, "back")
    c.prompts.change(c.radio.clock())
    await press(window, "prompt.waiting")
    await press(window, "prompt.open")
    grid = shown(window, MoodGrid)[0]
    x, y = grid.to_window(grid.x + grid.width * 0.75, grid.y + grid.height * 0.8)
    UnitTestTouch(x, y).touch_down()
    await picture(window, "prompt")
    await press(window, "prompt.done")
    answer = dict(c.prompts.state.answers)["mood"].split(",")
    assert [round(float(a), 1) for a in answer] == [0.5, 0.6], answer
    await picture(window, "prompt")
    await press(window, "back")
    await press(window, "settings.title")
    await picture(window, "settings")
    await press(window, "back")
    await press(window, "leave.title")
    await picture(window, "leave")
    await press(window, "leave.withdraw_erase")
    await picture(window, "leave")
    await press(window, "leave.confirm")
    await until(lambda: window.manager.current == "goodbye", "goodbye")
    await picture(window, "goodbye")
    assert not c.recordings


async def main():
    failed = []
    async with on_the_air(FILES) as c:
        c.settings.language(LANGUAGE)
        c.settings.dark(on=LOOK == "dark")
        c.settings.high_contrast(on=LOOK == "contrast")
        if LOOK == "contrast":
            c.settings.larger()
        window = Window(c)

        async def person():
            try:
                await asyncio.sleep(0.5)
                await first_half(window, c)
                await (steps if NEUTRAL else second_half)(window, c)
            except Exception:  # noqa: BLE001 (whatever it was, it is shown with a picture)
                failed.append(traceback.format_exc())
                await picture(window, "failed")
            window.stop()

        running, acting = asyncio.create_task(c.run()), asyncio.create_task(person())
        await window.async_run("asyncio")
        running.cancel()
        await asyncio.wait([running, acting])
    sys.stdout.write(f"small: {sorted(SMALL)}\nlost touches: {LOST}\n")
    if failed:
        sys.exit(failed[0])


asyncio.run(main())
