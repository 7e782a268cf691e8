"""Android's first camera interface and python-for-android's modules, as far as the app uses them."""

import sys
import threading
import types

import numpy as np


class JavaException(Exception):  # noqa: N818 (pyjnius' name)
    pass


class Bytes:
    """pyjnius' array of bytes."""

    def __init__(self, data):
        self._data = data

    def tostring(self):
        return self._data


def nv21(rgb):
    """A picture as the sensor gives it: luma, then V and U of every second dot (ITU-R BT.601, full range)."""
    r, g, b = np.moveaxis(rgb.astype(float), -1, 0)
    y = 0.299 * r + 0.587 * g + 0.114 * b
    u, v = (b - y) / 1.772 + 128, (r - y) / 1.402 + 128
    halves = np.stack([v[::2, ::2], u[::2, ::2]], axis=-1)
    return np.clip(np.rint(np.concatenate([y.ravel(), halves.ravel()])), 0, 255).astype(np.uint8).tobytes()


class Phone:
    """Two cameras, the second one looks at the person; `fault`: taken, dark, alone."""

    def __init__(self, picture, fault="", count=12):
        self.picture, self.fault, self.count = picture, fault, count
        self.log, self.allowed, self.orientations = [], set(), (90, 270)
        self.rotation, self._feeding = 0, None

    # android.hardware.Camera, static
    def getNumberOfCameras(self):
        return 1 if self.fault == "alone" else 2

    def getCameraInfo(self, number, about):
        about.facing, about.orientation = number, self.orientations[number]

    def open(self, number):
        if self.fault == "taken":
            raise JavaException("java.lang.RuntimeException: Fail to connect to camera service")
        self.log.append(f"open {number}")
        return self

    # and what is opened
    def getParameters(self):
        return types.SimpleNamespace(setPreviewSize=lambda *size: self.log.append(f"size {size}"))

    def setParameters(self, _how):
        if self.fault == "size":
            raise JavaException("java.lang.RuntimeException: setParameters failed")

    def setPreviewTexture(self, texture):
        self.log.append(f"texture {texture}")

    def setPreviewCallback(self, callback):
        self.callback = callback

    def startPreview(self):
        assert self.callback is not None
        assert any(line.startswith("texture") for line in self.log), "no preview without a texture"
        self.log.append("start")
        if self.fault != "dark":
            # From a thread of Java's.
            self._feeding = threading.Thread(target=self._feed)
            self._feeding.start()
            self._feeding.join()

    def _feed(self):
        for _ in range(self.count):
            self.callback.onPreviewFrame(Bytes(nv21(self.picture)), self)

    def stopPreview(self):
        self.log.append("stop")

    def release(self):
        self.log.append("release")

    # org.kivy.android.PythonActivity
    def getWindowManager(self):
        display = types.SimpleNamespace(getRotation=lambda: self.rotation)
        return types.SimpleNamespace(getDefaultDisplay=lambda: display)

    def shouldShowRequestPermissionRationale(self, _name):
        return True

    def autoclass(self, name):
        return {
            "android.hardware.Camera": self,
            "android.hardware.Camera$CameraInfo": types.SimpleNamespace,
            "android.graphics.SurfaceTexture": lambda number: number,
            "org.kivy.android.PythonActivity": types.SimpleNamespace(mActivity=self),
        }[name]


def installed(monkeypatch, phone, folder):
    """Put them where the app looks for them."""
    jnius = types.ModuleType("jnius")
    jnius.JavaException, jnius.autoclass, jnius.PythonJavaClass = JavaException, phone.autoclass, object
    jnius.java_method = lambda signature: lambda method: method
    android, storage, permissions = (types.ModuleType(f"android{x}") for x in ("", ".storage", ".permissions"))
    storage.app_storage_path = lambda: str(folder)
    permissions.check_permission = phone.allowed.__contains__
    permissions.request_permissions = lambda names, told: (phone.allowed.update(names), told(names, [True] * len(names)))
    for module in (jnius, android, storage, permissions):
        monkeypatch.setitem(sys.modules, module.__name__, module)
