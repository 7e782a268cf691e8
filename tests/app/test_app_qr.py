"""A study's QR code: from the camera's pictures, from a file; what is wrong with it; a study that is over."""

import asyncio
import json
from datetime import date

import numpy as np
import pytest
from app_cases import on_the_air

from feltsense.errors import InputError, StudyError
from feltsense.study import Study
from feltsense_app.platform.desktop import Desktop
from feltsense_app.service import demo, invite, qr

cv2 = pytest.importorskip("cv2", reason="opencv is absent")

SMALL = {
    **demo.CONTENT,
    "languages": ["en"],
    "consent": {"version": "1", "signature": True, "text": {"en": "Yes."}},
    "contact": {"name": "Team", "reach": "room 1", "crisis": {"en": "Call 112."}},
}


def picture(text, pixels=4):
    """A photograph of a code: grey paper, unevenly lit."""
    code = cv2.QRCodeEncoder.create().encode(text)
    code = cv2.resize(code, None, fx=pixels, fy=pixels, interpolation=cv2.INTER_NEAREST)
    code = cv2.copyMakeBorder(code, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=255)
    light = np.linspace(0.7, 1.0, code.shape[1])
    return (code * light).astype(np.uint8)


NOTHING = np.full((240, 320, 3), 90, np.uint8)


def test_the_camera_sees_a_studys_code_after_some_pictures_of_nothing(tmp_path):
    code = invite.code_of(SMALL, "P-03")
    seen = qr.code_in([NOTHING, NOTHING, picture(code)])
    assert invite.read(seen).pseudonym == "P-03"
    cv2.imwrite(str(tmp_path / "code.png"), picture(code))
    assert invite.read(str(tmp_path / "code.png")).study.title == "Demonstration"


def test_what_is_no_code_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(qr, "MOST", 3)
    for pictures in ([], [NOTHING] * 9):
        with pytest.raises(InputError, match="no QR code was seen"):
            qr.code_in(pictures)
    with pytest.raises(InputError, match="no code of a feltsense study"):
        invite.read(qr.code_in([picture("https://example.org")]))
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(InputError, match="picture"):
        invite.read(str(tmp_path / "x.png"))


def test_a_desktop_without_a_camera_says_so(tmp_path, monkeypatch):
    class NoCamera:
        def __init__(self, _number):
            self.closed = False

        def isOpened(self):
            return False

        def release(self):
            self.closed = True

    monkeypatch.setattr(cv2, "VideoCapture", NoCamera)
    with pytest.raises(InputError, match="no camera"):
        next(Desktop(tmp_path).pictures())


def test_a_study_that_is_over_cannot_be_joined():
    over = invite.read(json.dumps(SMALL | {"until": "2026-01-05"}))
    assert invite.still_open(over, date(2026, 1, 5)) is over
    with pytest.raises(InputError, match=r"ended on 2026-01-05.*room 1"):
        invite.still_open(over, date(2026, 1, 6))
    with pytest.raises(StudyError, match="until must be a day"):
        Study.of(SMALL | {"until": "soon"})


async def test_the_camera_joins_a_study_and_an_old_code_does_not(tmp_path):
    async with on_the_air(tmp_path) as c:
        for until, holds in (("2099-12-31", lambda s: s.title), ("2025-12-31", lambda s: "ended" in s.trouble)):
            c.phone.seen = (NOTHING, picture(invite.code_of(SMALL | {"until": until}, "P-03")))
            c.join.scan()
            for _ in range(500):
                if not c.join.state.scanning:
                    break
                await asyncio.sleep(0.02)
            assert holds(c.join.state), c.join.state
        c.phone.seen = ()
        c.join.scan()
        await asyncio.sleep(0.5)
        assert "no QR code" in c.join.state.trouble
        await c.close()


@pytest.mark.parametrize("language", ["en", "de", "es", "fi"])
def test_the_demo_asks_in_the_apps_language(language):
    study = invite.read("demo", language).study
    assert (study.questions["mood"].text == demo.questions("en")["mood"].text) is (language in ("en", "fi"))
    no = study.questions["busy"].choices[1]
    assert study.following("now", (("mood", "0,0"), ("busy", no))) == ""
