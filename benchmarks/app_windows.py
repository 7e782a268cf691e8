"""What bench_app.py measures, each in a process of its own: app_windows.py empty|live|whole|radio SECONDS FOLDER.

It says when its first frame was, and then, for so many seconds, frames a second and the share of a core of all threads.
"""

import asyncio
import logging
import sys
import time
from pathlib import Path

BEGAN = time.perf_counter()
WHAT, SECONDS, FOLDER = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
SETTLE_S = 1.0
frames = []


def watch():
    from kivy.core.window import Window

    Window.bind(on_flip=lambda *_: frames.append(time.perf_counter()))


async def until(holds):
    for _ in range(6000):
        if holds():
            return
        await asyncio.sleep(0.01)
    sys.exit("it did not come to what is measured")


async def first():
    await until(lambda: frames)
    print("first", frames[0] - BEGAN)


async def measured():
    await asyncio.sleep(SETTLE_S)
    n, cpu, at = len(frames), time.process_time(), time.perf_counter()
    await asyncio.sleep(SECONDS)
    passed = time.perf_counter() - at
    print("fps", (len(frames) - n) / passed, "cpu", (time.process_time() - cpu) / passed)


async def shown(app, work):
    """Work while a window is shown."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work)
        await app.async_run("asyncio")


def kivy():
    """The app's size and frame rate, for the empty window too."""
    from kivy.config import Config

    for key, value in (("width", "360"), ("height", "780")):
        Config.set("graphics", key, value)
    import feltsense_app.screens  # noqa: F401


async def empty():
    """A window with one word that changes with every frame."""
    kivy()
    from kivy.app import App
    from kivy.clock import Clock
    from kivy.uix.label import Label

    class Empty(App):
        def build(self):
            watch()
            label = Label(text="0")
            Clock.schedule_interval(lambda _: setattr(label, "text", str(len(frames))), 0)
            return label

    app = Empty()

    async def end():
        await first()
        await measured()
        app.stop()

    await shown(app, end())


async def live():
    """The live screen, with a person's samples put into it as they come."""
    kivy()
    from feltsense.core.chunk import Chunk
    from feltsense_app import start
    from feltsense_app.platform.desktop import Desktop
    from feltsense_app.presenters.flow import Page
    from feltsense_app.screens.window import Window
    from feltsense_app.service.conductor import Conductor
    from feltsense_app.service.radio import Radio

    base = [0]
    c = Conductor(Desktop(FOLDER, "secret"), Radio(lambda: base[0] + time.perf_counter_ns()), start._model)
    app = Window(c)

    async def end():
        watch()
        await first()
        from feltsense.datasets.synthetic import participant

        c.join.enter("demo")
        c.join.join()
        person, ahead_s = participant(1, 7), 8.0
        base[0] = person.start_ns + int(ahead_s * 1e9) - time.perf_counter_ns()
        c.flow._set(page=Page.LIVE)
        begun = time.perf_counter()

        async def feed():
            for piece in person.chunks(0.25):
                if isinstance(piece, Chunk):
                    at_s = (piece.stop_ns - person.start_ns) / 1e9 - ahead_s
                    await asyncio.sleep(max(at_s - (time.perf_counter() - begun), 0))
                    c.live.push(piece)

        feeding = asyncio.create_task(feed())
        await measured()
        feeding.cancel()
        app.stop()

    await shown(app, end())


async def on_the_air(then):
    """Virtual sensors at ordinary speed."""
    from feltsense.datasets.synthetic import participant
    from feltsense_app.service.radio import virtual

    person = participant(1, 14)
    async with virtual(person) as radio:
        await then(radio, person)


async def whole(radio, person):
    """The live screen while virtual sensors are recorded, judged and estimated from."""
    kivy()
    from feltsense.calibration import calibrate
    from feltsense.core.profile import RestInterval
    from feltsense_app import start
    from feltsense_app.main import show
    from feltsense_app.platform.desktop import Desktop
    from feltsense_app.presenters.flow import Page
    from feltsense_app.service.conductor import Conductor

    c = Conductor(Desktop(FOLDER, "secret"), radio, start._model)

    async def end():
        c.join.enter("demo")
        c.join.join()
        for asked in c.consent.state.asked:
            c.consent.toggle(asked.stream)
        c.consent.seen()
        c.consent.sign("P")
        assert c.consent.accept()
        assert c.permissions.go_on()
        rest = RestInterval(person.start_ns, person.start_ns + 200 * 10**9)
        c.recorder.estimator.profile = calibrate(person, [rest], start._model())
        c.pair.start()
        await until(lambda: all(place.sensor for place in c.pair.state.places))
        assert c.pair.go_on()
        await until(lambda: len(c.live.state.streams) >= 4)
        c.flow._set(page=Page.LIVE)
        watch()
        await measured()
        assert c.recorder.estimator.estimating
        from kivy.app import App

        App.get_running_app().stop()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(end())
        await show(c)


async def sensors_alone(radio, person):
    """The same sensors, their radio and what reads them; nobody computes and nothing is shown."""
    from feltsense_app.service.radio import links
    from feltsense_bridge.live import Live

    found = await radio.scan(5.0, lambda seen: len(seen) == 2)
    named = frozenset({"ppg", "eda", "acc", "ecg", "skin_temperature"})

    async with Live(links(radio, found, named)) as live:

        async def read():
            async for _ in live:
                pass

        reading = asyncio.create_task(read())
        await asyncio.sleep(3.0)
        await measured()
        await live.close()
        await reading


logging.getLogger("bumble").setLevel(logging.CRITICAL)
alone = {"empty": empty, "live": live}
asyncio.run(alone[WHAT]() if WHAT in alone else on_the_air({"whole": whole, "radio": sensors_alone}[WHAT]))
