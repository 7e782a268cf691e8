"""A face with a known pulse: a public-domain portrait in which the skin's colour beats, moved, lit and compressed."""

import io
from fractions import Fraction

import numpy as np

BLOOD = np.array([0.33, 0.77, 0.53])
"""How much of a pulse each colour shows (de Haan & Jeanne 2013, table I, normalised)."""
HEIGHT, WIDTH = 320, 240


def portrait():
    """Astronaut Eileen Collins (NASA, public domain; ships with scikit-image): the head alone, float32."""
    import cv2
    from skimage import data

    # Pictures this small are done before a second thread has begun.
    cv2.setNumThreads(1)
    head = data.astronaut()[10:250, 110:290]
    return cv2.resize(head, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float32)


def skin_of(image):
    """Where the portrait is skin, 0..1, by a fixed range of chroma that suits this one picture."""
    import cv2

    ycc = cv2.cvtColor(np.clip(image, 0, 255).astype(np.uint8), cv2.COLOR_RGB2YCrCb)
    return cv2.GaussianBlur(cv2.inRange(ycc, (60, 135, 77), (255, 180, 127)).astype(np.float32) / 255.0, (0, 0), 3)


def wave(t, bpm, wander=0.0):
    """A pulse's shape: fundamental and a third of its harmonic; the rate wanders as breathing makes it."""
    phase = 2 * np.pi * (bpm / 60 * t + wander / 60 * (1 - np.cos(2 * np.pi * 0.25 * t)) / (2 * np.pi * 0.25))
    return np.sin(phase) + 0.3 * np.sin(2 * phase + 0.8)


def times(seconds, fps, jitter=0.0, seed=0):
    """Times of frames; `jitter` is the standard deviation as a share of a period."""
    n = int(seconds * fps)
    off = jitter * np.random.default_rng(seed).standard_normal(n) / fps
    return np.maximum.accumulate(np.arange(n) / fps + off) + np.arange(n) * 1e-6


def video(t, bpm=72.0, amp=0.004, *, motion=2.0, sway=0.0, light=0.0, tone=1.0, noise=2.0, drift=0.05, wander=0.0, seed=0):
    """Frames at times `t`: uint8 of (320, 240, 3).

    `amp` pulse as a share of the colour · `motion` px · `sway` degrees · `light` a lamp that moves at 0.9 Hz, as a share ·
    `tone` brightness · `noise` grey levels · `drift` of the light, 0.05 Hz.
    """
    import cv2

    rng = np.random.default_rng(seed)
    face = portrait() * tone
    mask = skin_of(portrait())[..., None]
    fields = rng.standard_normal((12, HEIGHT, WIDTH, 3)).astype(np.float32) * noise + 0.5
    side = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :, None]
    blood = (face * mask * BLOOD).astype(np.float32)
    for s, beat, k in zip(t.tolist(), wave(t, bpm, wander).tolist(), rng.integers(0, 12, len(t)).tolist(), strict=True):
        lit = 1.0 + drift * np.sin(2 * np.pi * 0.05 * s) + light * side * np.float32(np.sin(2 * np.pi * 0.9 * s))
        dx = motion * (np.sin(2 * np.pi * 0.21 * s) + 0.5 * np.sin(2 * np.pi * 0.5 * s + 1))
        turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), sway * np.sin(2 * np.pi * 0.3 * s), 1)
        turn[:, 2] += [dx, 0.7 * motion * np.sin(2 * np.pi * 0.17 * s)]
        frame = cv2.warpAffine(
            (face + blood * np.float32(amp * beat)) * lit.astype(np.float32),
            turn,
            (WIDTH, HEIGHT),
            borderMode=cv2.BORDER_REFLECT,
        )
        frame += np.roll(fields[k], int(rng.integers(0, HEIGHT)), axis=0)
        yield np.clip(frame, 0.0, 255.0).astype(np.uint8)


def h264(frames, t, crf, *, group=250):
    """Bytes of an MP4 file: frames at their own times, compressed by x264."""
    import av

    buffer = io.BytesIO()
    container = av.open(buffer, "w", format="mp4")
    stream = container.add_stream("libx264", rate=30)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.options = {"crf": str(crf), "g": str(group), "preset": "veryfast", "bf": "0"}
    stream.codec_context.thread_count = 1
    base = stream.codec_context.time_base = Fraction(1, 90_000)
    for image, s in zip(frames, t.tolist(), strict=True):
        picture = av.VideoFrame.from_ndarray(image, format="rgb24")
        picture.pts, picture.time_base = round(s / base), base
        for packet in stream.encode(picture):
            container.mux(packet)
    for packet in stream.encode():
        container.mux(packet)
    container.close()
    return buffer.getvalue()
