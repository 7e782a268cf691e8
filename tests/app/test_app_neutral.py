"""The steps after the rest: their presenter, what is measured, and what is kept of it."""

import asyncio
import gc
import itertools
import json
import weakref
from dataclasses import replace

import numpy as np
import pytest

from feltsense.errors import InputError
from feltsense_app.presenters.neutral import LENGTH_S, At, NeutralPresenter, Step, steps


def presenter(*wanted):
    did = []
    p = NeutralPresenter(did.append, lambda: did.append("stop"), lambda: did.append("over"))
    p.begin(wanted)
    return p, did


def test_only_what_was_agreed_to_is_a_step():
    assert steps(("ppg", "inference")) == ()
    assert steps(("microphone", "camera", "voice", "face")) == (Step.FACE, Step.VOICE)
    _, did = presenter()
    assert did == ["over"]


def test_two_steps_one_after_the_other():
    p, did = presenter(Step.FACE, Step.VOICE)
    assert (p.state.step, p.state.at, p.state.seconds) == (Step.FACE, At.INTRO, LENGTH_S[Step.FACE])
    assert not p.go_on()
    p.start()
    p.start()
    p.looked(0.5, "neutral.good")
    assert (p.state.share, p.state.feedback) == (0.5, "neutral.good")
    p.looked(1.2, "neutral.good")
    assert p.state.share == 1.0
    p.taken()
    assert p.state.at is At.DONE
    assert p.go_on()
    assert (p.state.step, p.state.at, p.state.share) == (Step.VOICE, At.INTRO, 0.0)
    p.start()
    p.taken()
    assert p.go_on()
    assert did == [Step.FACE, Step.VOICE, "over"]


def test_again_with_the_reason_until_it_is_good():
    p, did = presenter(Step.FACE)
    p.start()
    p.taken("neutral.dark")
    assert (p.state.at, p.state.feedback) == (At.AGAIN, "neutral.dark")
    p.start()
    assert (p.state.at, p.state.feedback, p.state.share) == (At.TAKING, "neutral.settle", 0.0)
    p.taken()
    assert p.state.at is At.DONE
    assert did == [Step.FACE, Step.FACE]


def test_what_cannot_be_taken_is_said_and_gone_past():
    p, did = presenter(Step.VOICE)
    p.start()
    p.nothing("no microphone")
    assert (p.state.at, p.state.why) == (At.NOTHING, "no microphone")
    assert p.go_on()
    assert did == [Step.VOICE, "over"]


def test_a_step_is_left_out_at_any_time_and_what_comes_late_is_not_heard():
    p, did = presenter(Step.FACE, Step.VOICE)
    p.start()
    p.skip()
    for late in (lambda: p.looked(0.9, "neutral.good"), p.taken, lambda: p.nothing("gone")):
        late()
        assert (p.state.step, p.state.at, p.state.share) == (Step.VOICE, At.INTRO, 0.0)
    p.skip()
    assert did == [Step.FACE, "stop", "stop", "over"]


# What is measured


def taken(tmp_path, step, *, looks=(), hears=()):
    from app_cases import Handset

    from feltsense_app.service.neutral import measure

    phone, said = Handset(tmp_path, looks=list(looks), hears=list(hears)), []
    vector, reason = measure(phone, step, said.append, lambda: False)
    assert phone.closed == 1
    return vector, reason, said


def case(name):
    import neutral_cases as n

    return {
        "face": lambda: n.frames(),
        "dark": lambda: n.frames(n.dark()),
        "wall": lambda: n.frames(n.wall()),
        "two": lambda: n.frames(n.two()),
        "cut": lambda: n.frames(seconds=6.0),
        "read": lambda: n.sentence(),
        "silent": lambda: n.sentence(silent=True, noise=1e-4),
        "muted": lambda: n.sentence(silent=True),
        "far": lambda: n.sentence(0.02),
        "loud": lambda: n.sentence(60.0),
        "noisy": lambda: n.sentence(0.3, noise=0.02),
        "engine": lambda: n.sentence(0.3, noise=0.05),
        "words": lambda: n.sentence()[:15] + n.sentence(silent=True, noise=2e-4),
    }[name]()


FACES = {
    "face": "",
    "dark": "neutral.dark",
    "wall": "neutral.no_face",
    "two": "neutral.several_faces",
    "cut": "neutral.short",
}
VOICES = {
    "read": "",
    "silent": "neutral.no_speech",
    "muted": "neutral.no_speech",
    "far": "neutral.quiet",
    "loud": "neutral.clipped",
    "noisy": "neutral.noise",
    "engine": "neutral.noise",
    "words": "neutral.no_speech",
}


@pytest.mark.parametrize(("name", "reason"), FACES.items())
def test_a_face_is_judged_while_it_is_looked_at(tmp_path, name, reason):
    pytest.importorskip("cv2", reason='pip install "feltsense[vision]"')
    vector, found, said = taken(tmp_path, Step.FACE, looks=[case(name)])
    assert found == reason
    assert {s.feedback for s in said} == {reason.replace("neutral.short", "") or "neutral.good"}
    assert np.all(np.diff([s.share for s in said]) > 0)
    if not reason:
        assert said[-1].share == 1.0
        assert vector.schema.modalities == ("face",)
        assert vector["face.present_frac"] == 1.0


@pytest.mark.parametrize(("name", "reason"), VOICES.items())
def test_a_sentence_is_judged_while_it_is_read(tmp_path, name, reason):
    vector, found, said = taken(tmp_path, Step.VOICE, hears=[case(name)])
    assert found == reason
    if name != "words":
        assert {s.feedback for s in said} == {reason or "neutral.good"}
    if not reason:
        assert vector.schema.modalities == ("voice",)
        assert 120 < vector["voice.f0_mean"] < 180


def test_no_sound_and_no_picture_outlives_its_step(tmp_path):
    """Whoever gave a piece finds that nobody holds it, as soon as the next one is taken."""
    held = []

    def pieces():
        for piece in case("read"):
            mine = piece.copy()
            held.append(weakref.ref(mine))
            yield mine

    taken(tmp_path, Step.VOICE, hears=[pieces()])
    gc.collect()
    assert len(held) > 100
    assert not any(ref() is not None for ref in held)


def test_who_leaves_a_step_out_ends_it(tmp_path):
    from app_cases import Handset

    from feltsense_app.service.neutral import measure

    phone = Handset(tmp_path, hears=[itertools.repeat(np.zeros(1600))])
    assert measure(phone, Step.VOICE, lambda look: None, lambda: True) == (None, "neutral.short")
    assert phone.closed == 1
    with pytest.raises(InputError, match="no camera"):
        measure(phone, Step.FACE, lambda look: None, lambda: False)


def test_a_desktop_has_no_microphone_and_says_so(tmp_path):
    from feltsense_app.platform.desktop import Desktop

    with pytest.raises(InputError, match="does not reach the microphone"):
        Desktop(tmp_path, "secret").sound(16_000)


# What is kept


async def at_the_steps(c, run):
    """With a baseline of a rest, on the page of the steps."""
    import neutral_cases
    from test_app_service import joined, until

    from feltsense_app.service.invite import code_of

    task = asyncio.create_task(run())
    granted = ("ppg", "eda", "acc", "camera", "microphone")
    await joined(c, *granted, code=code_of(neutral_cases.STUDY, "N-1"))
    c.begin_rest()
    await until(lambda: c.wizard.state.phase.value in ("done", "again"), 3000)
    assert c.wizard.close()
    assert c.flow.state.page.value == "neutral"
    return task


async def test_face_and_voice_go_into_the_baseline_and_nothing_else_is_kept(tmp_path):
    pytest.importorskip("cv2", reason='pip install "feltsense[vision]"')
    from app_cases import on_the_air
    from test_app_service import until

    from feltsense_app.service.shelf import BASELINE

    async with on_the_air(tmp_path, looks=[case("dark"), case("face")], hears=[case("read")]) as c:
        running = await at_the_steps(c, c.run)
        # A sensor place for the phone's own camera would never be filled.
        assert {p.model for p in c.study.places} == {"open_board", "polar_h10"}
        rest = c.recorder.estimator.profile
        before = {p.name for p in c.shelf.data.iterdir()}
        for at in (At.AGAIN, At.DONE):
            c.neutral.start()
            await until(lambda at=at: c.neutral.state.at is at, 3000)
        assert c.neutral.go_on()
        c.neutral.start()
        await until(lambda: c.neutral.state.at is At.DONE, 3000)
        assert c.neutral.go_on()
        assert c.flow.state.page.value == "home"
        assert c.kept.neutral
        assert {p.name for p in c.shelf.data.iterdir()} == before
        assert c.phone.closed == 3
        profile = c.shelf.baseline()
        text = c.shelf.safe.unseal(c.shelf.profile_path.read_text(), BASELINE)
        assert set(json.loads(text)) == set(json.loads(rest.to_json()))
        assert dict(profile.each_s) == {"face": 15.0, "voice": 15.0}
        assert {n: m for n, m in profile.rest.items() if n in rest.rest} == dict(rest.rest)
        assert profile.seconds("face.present_frac") == profile.seconds("voice.f0_mean") == 15.0
        # Who rests again and leaves the steps out keeps the face and the voice.
        c.flow.again()
        assert c.wizard.state.phase.value == "intro"
        c.begin_rest()
        await until(lambda: c.wizard.state.phase.value in ("done", "again"), 3000)
        assert c.wizard.close()
        c.neutral.skip()
        c.neutral.skip()
        again = c.shelf.baseline()
        assert c.flow.state.page.value == "home"
        assert again.intervals != profile.intervals
        assert again.rest["voice.f0_mean"] == profile.rest["voice.f0_mean"]
        running.cancel()
        await asyncio.wait([running])


async def test_without_a_camera_and_a_microphone_the_way_goes_on(tmp_path):
    from app_cases import on_the_air
    from test_app_service import until

    async with on_the_air(tmp_path) as c:
        running = await at_the_steps(c, c.run)
        for why in ("no camera", "no microphone"):
            c.neutral.start()
            await until(lambda: c.neutral.state.at is At.NOTHING)
            assert why in c.neutral.state.why
            assert c.neutral.go_on()
        assert c.flow.state.page.value == "home"
        assert not c.recorder.estimator.profile.each_s
        running.cancel()
        await asyncio.wait([running])
    async with on_the_air(tmp_path, later_s=600) as c:
        assert c.flow.state.page.value == "home"
        c.shelf.keep(neutral=False)
    async with on_the_air(tmp_path, later_s=600) as c:
        assert c.flow.state.page.value == "neutral"
        assert c.neutral.state.step is Step.FACE
        c.shelf.keep(consent=replace(c.kept.consent, granted=("ppg", "eda")))
    async with on_the_air(tmp_path, later_s=600) as c:
        assert c.flow.state.page.value == "home"
