"""An Android phone's cameras, through pyjnius: one at a time, for as long as its pictures are asked for. Never run by us.

Android's first camera interface (``android.hardware.Camera``), deprecated and still there: the later ones call back abstract
classes, and pyjnius can only be an interface. Facts from its reference:

- ``PreviewCallback.onPreviewFrame`` gets each picture as NV21 bytes, as the sensor sees it: neither turned nor mirrored;
- ``CameraInfo.orientation`` is how far, clockwise, it must be turned to be upright on a display that is held as usual;
- a ``SurfaceTexture`` must be given before ``startPreview``, whether it is looked at or not.

Pictures come in one of Java's threads and are taken out in the one that asks for them.
"""

from __future__ import annotations

import time
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

from feltsense.core.timeline import NS
from feltsense.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from fractions import Fraction

    from feltsense.vision import Frame

__all__ = ["BACK", "FRONT", "Eye"]

BACK, FRONT = 0, 1
"""``CameraInfo.CAMERA_FACING_BACK`` and ``CAMERA_FACING_FRONT``."""
SIZE = (640, 480)
"""Every Android camera has it, and a face in it is large enough."""
NOT_LOOKED_AT = 10
"""Name of a texture that nobody draws."""
WAITING = 4
"""Pictures that wait; who reads too slowly misses the ones that come then, which the times of the others show."""
PATIENCE_S = 3.0
"""Without a picture for so long the camera does not work."""


class Eye:
    """The phone's cameras. Made where the app starts: Java's classes of this app are not found from other threads.

    Parameters
    ----------
    java : callable
        pyjnius' ``autoclass``.
    turned : callable
        By how many degrees the display is turned from how it is usually held.
    """

    def __init__(self, java: Callable[[str], Any], turned: Callable[[], int] = lambda: 0) -> None:
        from jnius import JavaException, PythonJavaClass, java_method

        class Seen(PythonJavaClass):  # type: ignore[misc]
            """What Java calls with each picture."""

            __javainterfaces__ = ("android/hardware/Camera$PreviewCallback",)
            __javacontext__ = "app"

            @java_method("([BLandroid/hardware/Camera;)V")  # type: ignore[untyped-decorator]
            def onPreviewFrame(self, data: Any, _camera: Any) -> None:  # noqa: N802 (Java's name)
                """Keep it, with its time."""
                put(time.monotonic_ns(), data)

        self._waiting: Queue[tuple[int, bytes]] = Queue(WAITING)
        put = self._put
        self._seen, self._fault, self._turned = Seen(), JavaException, turned
        self._cameras, self._surface = java("android.hardware.Camera"), java("android.graphics.SurfaceTexture")
        self._about = java("android.hardware.Camera$CameraInfo")

    def _put(self, t_ns: int, data: Any) -> None:
        try:
            self._waiting.put_nowait((t_ns, data.tostring()))
        except Full:
            return

    def frames(self, facing: int, rate: Fraction | None = None) -> Generator[Frame]:
        """Upright pictures with their times.

        Parameters
        ----------
        facing : int
            :data:`FRONT` or :data:`BACK`.
        rate : Fraction, optional
            About how many a second; default all.

        Raises
        ------
        InputError
            If there is no such camera, another app has it, or no picture comes.
        """
        # What measures is imported when it is first needed: the window is there before scipy is.
        from feltsense.vision import Frame
        from feltsense.vision.android import from_nv21

        number, rotation = self._find(facing)
        camera, due, step = None, 0, 0 if rate is None else int(NS / rate)
        try:
            camera = self._open(number)
            while True:
                t_ns, data = self._next()
                # A quarter of a picture's time of slack: a camera is never quite even.
                if t_ns < due - step // 4:
                    continue
                due = (due if t_ns < due + step else t_ns) + step
                yield Frame(from_nv21(data, *SIZE, rotation), t_ns)
        finally:
            if camera is not None:
                camera.setPreviewCallback(None)
                camera.stopPreview()
                camera.release()
            while not self._waiting.empty():
                self._waiting.get_nowait()

    def _find(self, facing: int) -> tuple[int, int]:
        """Number of the camera, and by how much its pictures must be turned."""
        for number in range(self._cameras.getNumberOfCameras()):
            about = self._about()
            self._cameras.getCameraInfo(number, about)
            if about.facing == facing:
                back = -self._turned() if facing == BACK else self._turned()
                return number, (about.orientation + back) % 360
        msg = "this phone has no camera on that side"
        raise InputError(msg)

    def _open(self, number: int) -> Any:
        camera = None
        try:
            camera = self._cameras.open(number)
            how = camera.getParameters()
            how.setPreviewSize(*SIZE)
            camera.setParameters(how)
            camera.setPreviewTexture(self._surface(NOT_LOOKED_AT))
            camera.setPreviewCallback(self._seen)
            camera.startPreview()
        except self._fault as e:
            if camera is not None:
                camera.release()
            msg = f"the camera cannot be used, another app may have it: {e}"
            raise InputError(msg) from e
        return camera

    def _next(self) -> tuple[int, bytes]:
        try:
            return self._waiting.get(timeout=PATIENCE_S)
        except Empty:
            msg = "the camera gives no pictures: another app may have it, or it is switched off in the system's settings"
            raise InputError(msg) from None
