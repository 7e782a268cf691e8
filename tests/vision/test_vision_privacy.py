"""Pictures stay where they are: the whole path from frames to features with files and sockets blocked."""

import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import numpy as np

from feltsense.core.face_row import COLUMNS
from feltsense.vision import FaceReader, camera_stream
from mesh_cases import mesh

SCRIPT = """
    import resource, sys
    import numpy as np
    import cv2
    import face_cases as faces
    from mesh_cases import mesh
    import feltsense.features.face, feltsense.session
    from feltsense import Pipeline
    from feltsense.vision import FaceReader, camera_stream, heart_rate
    from feltsense.dsp.expressions import ExpressionFinder
    from feltsense.vision.person import PersonTargets

    t = faces.times(10, 15)
    frames = list(faces.video(t, 72.0, 0.006))
    reader = FaceReader(camera_stream(15))
    targets = PersonTargets(reader.info, 240, 60.0)
    reader.push(frames[0], -1)  # loads OpenCV's own cascade file

    BLOCKED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.remove", "os.rename", "os.mkdir", "shutil.",
               "tempfile.", "urllib.", "sqlite3.")
    def watch(event, args):
        if event.startswith(BLOCKED) or (event == "open" and not str(args[0]).endswith((".py", ".pyc", ".so"))):
            raise RuntimeError(f"{event} {args[:2]}")
    sys.addaudithook(watch)
    # No file may grow by a byte, whoever writes it, in Python or in C.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    pipeline = Pipeline({i.id: i for i in (reader.info, targets.info)}, window=9.0, hop=9.0)
    finder, found = ExpressionFinder(), []
    for image, s in zip(frames, t.tolist()):
        chunk = reader.push(image, round(s * 1e9), landmarks=mesh())
        finder.push(chunk)
        for item in (chunk, targets.push(chunk)):
            found += pipeline.push(item)
    found += pipeline.finish()
    ((_, vector),) = found
    (whole,) = heart_rate(frames, t)
    print(vector["face.rppg_hr"], whole.bpm, vector["face.ear_mean"], vector["radar.n_targets"])
"""


def test_nothing_is_written_and_nothing_is_sent():
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert run.returncode == 0, run.stderr
    by_window, whole, eyes, people = (float(x) for x in run.stdout.split())
    assert abs(by_window - 72.0) < 1.5
    assert abs(whole - 72.0) < 1.5
    assert abs(eyes - 0.3) < 1e-6
    assert people == 1.0


def test_a_reader_keeps_no_picture():
    """What it holds between frames is small: a grey picture of 320 pixels at most, and weights of 64 × 64 cells."""
    reader = FaceReader(camera_stream(15), "frame")
    rng = np.random.default_rng(0)
    chunks = [reader.push(rng.integers(0, 255, (720, 1280, 3), np.uint8), k * 66_666_667) for k in range(4)]
    held, seen, todo = 0, set(), [reader, *chunks]
    while todo:
        x = todo.pop()
        # A library that it holds is not what it keeps: other tests' pictures are reached from there.
        if id(x) in seen or isinstance(x, type | ModuleType):
            continue
        seen.add(id(x))
        if isinstance(x, np.ndarray):
            held += x.nbytes if x.base is None else 0
            todo += [x.base] if x.base is not None else []
        else:
            todo += [*getattr(x, "__dict__", {}).values(), *(x if isinstance(x, tuple | list) else ())]
            todo += [getattr(x, s) for s in getattr(type(x), "__slots__", ()) if hasattr(x, s)]
    assert held < 320 * 320 + 8 * (6 * 64 * 64 + 40 * len(COLUMNS)), "bytes; a frame alone has 2.8 million"


def test_a_row_is_too_little_to_be_a_picture():
    assert len(COLUMNS) < 100
    assert np.isfinite(FaceReader(camera_stream(15)).push_landmarks(mesh(), 0).values[0, -13:]).all()
