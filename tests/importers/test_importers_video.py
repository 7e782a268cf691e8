"""Video files: rows of numbers come out, no picture does; what is no video is said in one sentence."""

import numpy as np
import pytest

import face_cases as faces
from feltsense.cli import main
from feltsense.core.face_row import AT
from feltsense.core.vector import Reason
from feltsense.errors import ImportFormatError
from feltsense.importers import importer, open_recording
from feltsense.session import extract


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "face.mp4"
    t = faces.times(16, 15)
    path.write_bytes(faces.h264(faces.video(t, 84.0, 0.006), t, 18))
    return path


@pytest.fixture(scope="module")
def patch(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "patch.mp4"
    t = faces.times(16, 15)
    skin = (f[150:190, 90:150].repeat(8, 0).repeat(4, 1) for f in faces.video(t, 60.0, 0.006, noise=4.0, motion=0.0))
    path.write_bytes(faces.h264(skin, t, 12))
    return path


def test_a_video_of_a_face_to_a_table(face, tmp_path, capsys):
    felt, table = tmp_path / "s.felt", tmp_path / "s.csv"
    command = ["import", "video", str(face), "--subject", "S1", "--out", str(felt), "--start", "2026-05-04T13:30:00"]
    assert main(command) == 0
    assert main(["features", str(felt), "--window", "15", "--hop", "5", "--out", str(table)]) == 0
    head, row = (line.split(",") for line in table.read_text().splitlines()[:2])
    assert float(row[head.index("face.rppg_hr")]) == pytest.approx(84.0, abs=1.0)
    assert row[head.index("start_unix")].startswith("1777901400.")
    capsys.readouterr()
    assert main(["info", str(felt)]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("camera.face"))
    # The file calls its pace 15.03 Hz, of which 15 came.
    assert float(line.split()[-2].rstrip("%")) > 99.0, "rows without landmarks are there"
    assert felt.stat().st_size < 500_000, "rows of numbers, no pictures"
    recording = open_recording(felt)
    assert recording.metadata["region"] == "face"
    assert "note" not in recording.metadata


def test_where_no_face_is_the_picture_is_skin(patch, tmp_path, capsys):
    felt = tmp_path / "p.felt"
    assert main(["import", "video", str(patch), "--out", str(felt)]) == 0
    assert "no face found" in capsys.readouterr().out
    (vector,) = [v for _, v in extract(open_recording(felt), window=15.0, hop=15.0)]
    assert vector["face.rppg_hr"] == pytest.approx(60.0, abs=1.0)


def test_a_part_of_the_picture(face):
    recording = importer("video")(face, "S1", {"region": "70,110,100,120"})
    rows = recording.streams["camera.face"].segments[0].values
    assert np.isnan(rows[:, AT["faces"]]).all(), "no face was looked for"
    (vector,) = [v for _, v in extract(recording, window=15.0, hop=15.0)]
    assert vector.reason("face.rppg_hr") is Reason.OK


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"region": "left"}, "give auto, face, frame, or X,Y,WIDTH,HEIGHT"),
        ({"region": "1,2,3"}, "give auto, face, frame, or X,Y,WIDTH,HEIGHT"),
        ({"region": "1,2,0,5"}, "give auto, face, frame, or X,Y,WIDTH,HEIGHT"),
        ({"region": "nan,2,3,5"}, "give auto, face, frame, or X,Y,WIDTH,HEIGHT"),
        ({"start": "noon"}, "give a time as"),
        ({"schema": "x"}, "no option 'schema'"),
    ],
)
def test_options_that_are_wrong(face, options, message):
    with pytest.raises(ImportFormatError, match=message):
        importer("video")(face, "S1", options)


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100, b"\x00\x00\x00\x20ftypisom" + bytes(200)])
def test_files_that_are_no_video(tmp_path, content):
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(ImportFormatError, match=r"x\.mp4: .*(convert it to MP4)"):
        importer("video")(path, "S1", {})


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ImportFormatError, match="check the name"):
        importer("video")(tmp_path / "none.mp4", "S1", {})


def test_a_video_cut_off_in_the_middle_is_what_can_be_read_or_an_error(face, tmp_path):
    whole = face.read_bytes()
    for share in (0.3, 0.7, 0.95):
        path = tmp_path / f"{share}.mp4"
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ImportFormatError, match="convert it to MP4"):
            importer("video")(path, "S1", {})


def test_without_opencv_one_line_says_what_to_install(face, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    assert main(["import", "video", str(face), "--out", str(tmp_path / "x.felt")]) == 1
    assert 'pip install "feltsense[vision]"' in capsys.readouterr().err
