"""A synthetic mesh of 478 points whose eyes, mouth, brows and pose are known."""

import numpy as np


def mesh(*, eye=0.30, mouth=0.05, smile=0.0, brow=0.25, gaze=(0.0, 0.0), yaw=0.0, pitch=0.0, roll=0.0, scale=100.0, seed=0):
    """Points in pixels, shape (478, 3); the outer eye corners are one unit (`scale` pixels) apart."""
    rng = np.random.default_rng(seed)
    x = np.column_stack((rng.uniform(-0.7, 0.7, 478), rng.uniform(-0.9, 0.9, 478), rng.uniform(-0.3, 0.1, 478)))

    def put(index, px, py, pz=0.0):
        x[index] = px, py, pz

    for outer, inner, upper, lower, side in ((33, 133, (160, 158), (144, 153), -1), (263, 362, (387, 385), (373, 380), 1)):
        put(outer, side * 0.5, -0.2)
        put(inner, side * 0.2, -0.2)
        for k, (u, low) in enumerate(zip(upper, lower, strict=True)):
            px = side * (0.4 - 0.1 * k)
            put(u, px, -0.2 - 0.15 * eye)
            put(low, px, -0.2 + 0.15 * eye)
    for iris, side in ((468, -1), (473, 1)):
        put(iris, side * 0.35 + 0.15 * gaze[0], -0.2 + 0.15 * gaze[1])
    put(10, 0.0, -0.9)
    put(152, 0.0, 0.9)
    put(13, 0.0, 0.45 - mouth / 2)
    put(14, 0.0, 0.45 + mouth / 2)
    put(61, -0.3, 0.45 - smile)
    put(291, 0.3, 0.45 - smile)
    put(105, -0.35, -0.2 - brow)
    put(334, 0.35, -0.2 - brow)
    put(107, -0.1, -0.2 - brow)
    put(336, 0.1, -0.2 - brow)
    put(2, 0.0, 0.2)
    put(0, 0.0, 0.35)
    ax, ay, az = np.radians([pitch, yaw, roll])
    rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    rz = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
    return x @ (rz @ ry @ rx).T * scale + [320.0, 240.0, 0.0]
