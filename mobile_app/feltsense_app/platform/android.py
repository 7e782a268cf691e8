"""An Android phone, through pyjnius and python-for-android's own modules. Not run by us: no phone, no Android SDK here.

The recording itself runs in the app's process; :meth:`Android.stay_awake` holds a foreground service of type
``connectedDevice`` (declared in ``buildozer.spec``), without which Android ends the process soon after the screen goes
dark. On Android 14 and later that type needs a granted Bluetooth permission when it starts.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from feltsense.errors import InputError
from feltsense_app.platform.android_camera import BACK, FRONT, Eye
from feltsense_app.presenters.permissions import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from fractions import Fraction

    from numpy.typing import NDArray

    from feltsense.vision import Frame

__all__ = ["Android"]

NAMES = {
    "bluetooth": ("android.permission.BLUETOOTH_SCAN", "android.permission.BLUETOOTH_CONNECT"),
    "notifications": ("android.permission.POST_NOTIFICATIONS",),
    "camera": ("android.permission.CAMERA",),
    "microphone": ("android.permission.RECORD_AUDIO",),
}
"""The app's name of a permission → Android's (API 31 and later)."""
CHANNEL = "feltsense"
IMPORTANCE_HIGH = 4
KEYSTORE = "AndroidKeyStore"
ENCRYPT, DECRYPT = 1, 2
"""``Cipher``'s modes and ``KeyProperties``' purposes: the same numbers in both."""
GCM_NONCE, GCM_TAG_BITS = 12, 128
BATTERY_CAPACITY = 4
"""``BatteryManager.BATTERY_PROPERTY_CAPACITY``."""

MICROPHONE, CHANNEL_IN_MONO, PCM_16_BIT, INITIALISED = 1, 16, 2, 1
"""``MediaRecorder.AudioSource.MIC``, ``AudioFormat.CHANNEL_IN_MONO`` and ``ENCODING_PCM_16BIT``, ``AudioRecord``'s state."""


class Android:
    """The phone that the app runs on."""

    def __init__(self) -> None:
        from android.storage import app_storage_path
        from jnius import autoclass

        self._java = autoclass
        self._activity = autoclass("org.kivy.android.PythonActivity").mActivity
        self.folder = Path(app_storage_path())
        self._refused: set[str] = set()
        self._notes = 0
        self._eye = Eye(autoclass, self._turned)

    def space(self) -> tuple[float, float | None]:
        """Free bytes, and the battery from 0 to 1."""
        manager = self._activity.getSystemService("batterymanager")
        return float(shutil.disk_usage(self.folder).free), manager.getIntProperty(BATTERY_CAPACITY) / 100

    def secret(self) -> str | None:
        """What wraps the keys of recordings: random, and itself sealed by a key that never leaves the Android Keystore."""
        path, cipher = self.folder / "wrap", self._java("javax.crypto.Cipher").getInstance("AES/GCM/NoPadding")
        if path.exists():
            sealed = path.read_bytes()
            how = self._java("javax.crypto.spec.GCMParameterSpec")(GCM_TAG_BITS, sealed[:GCM_NONCE])
            cipher.init(DECRYPT, self._keystore_key(), how)
            return bytes(b & 0xFF for b in cipher.doFinal(sealed[GCM_NONCE:])).hex()
        secret = secrets.token_bytes(32)
        cipher.init(ENCRYPT, self._keystore_key())
        nonce = bytes(b & 0xFF for b in cipher.getIV())
        path.write_bytes(nonce + bytes(b & 0xFF for b in cipher.doFinal(secret)))
        return secret.hex()

    def _keystore_key(self) -> Any:
        """The Keystore's own key, made the first time."""
        store = self._java("java.security.KeyStore").getInstance(KEYSTORE)
        store.load(None)
        if not store.containsAlias(CHANNEL):
            purpose = self._java("android.security.keystore.KeyGenParameterSpec$Builder")(CHANNEL, ENCRYPT | DECRYPT)
            spec = purpose.setBlockModes(["GCM"]).setEncryptionPaddings(["NoPadding"]).build()
            maker = self._java("javax.crypto.KeyGenerator").getInstance("AES", KEYSTORE)
            maker.init(spec)
            maker.generateKey()
        return store.getKey(CHANNEL, None)

    def language(self) -> str:
        """As the system names it."""
        return str(self._java("java.util.Locale").getDefault().toString())

    def notify(self, title: str, text: str) -> None:
        """Show a notification."""
        manager = self._activity.getSystemService("notification")
        channel = self._java("android.app.NotificationChannel")(CHANNEL, "feltsense", IMPORTANCE_HIGH)
        manager.createNotificationChannel(channel)
        builder = self._java("android.app.Notification$Builder")(self._activity, CHANNEL)
        builder.setContentTitle(title).setContentText(text).setSmallIcon(self._activity.getApplicationInfo().icon)
        self._notes += 1
        manager.notify(self._notes, builder.build())

    def pictures(self) -> Iterator[Any]:
        """What the camera at the back sees."""
        self._may("camera")
        for frame in self._eye.frames(BACK):
            yield frame.image

    def frames(self, rate: Fraction) -> Generator[Frame]:
        """What the camera that looks at the person sees, with times."""
        self._may("camera")
        yield from self._eye.frames(FRONT, rate)

    def _may(self, name: str) -> None:
        """Whether it was allowed; it is asked for on the page of permissions only, after consent."""
        if self.permission(name) is not Grant.GRANTED:
            msg = f"the {name} was not allowed: allow it in the system's settings of this app, or go on without it"
            raise InputError(msg)

    def _turned(self) -> int:
        return 90 * int(self._activity.getWindowManager().getDefaultDisplay().getRotation())

    def sound(self, rate: Fraction) -> Generator[NDArray[np.float64]]:
        """What the microphone hears, a tenth of a second at a time."""
        self._may("microphone")
        record, hz = self._java("android.media.AudioRecord"), int(rate)
        piece = bytearray(2 * (hz // 10))
        size = max(record.getMinBufferSize(hz, CHANNEL_IN_MONO, PCM_16_BIT), 4 * len(piece))
        microphone = record(MICROPHONE, hz, CHANNEL_IN_MONO, PCM_16_BIT, size)
        try:
            if microphone.getState() != INITIALISED:
                msg = "the microphone cannot be used: another app may have it"
                raise InputError(msg)
            microphone.startRecording()
            while (got := microphone.read(piece, 0, len(piece))) > 0:
                yield np.frombuffer(bytes(piece[:got]), "<i2") / 32768.0
        finally:
            microphone.release()

    def permission(self, name: str) -> Grant:
        """Where a permission stands."""
        from android.permissions import check_permission

        if all(check_permission(p) for p in NAMES[name]):
            return Grant.GRANTED
        if name not in self._refused:
            return Grant.UNKNOWN
        # Android shows the question again only where it says that a reason should be given.
        again = any(self._activity.shouldShowRequestPermissionRationale(p) for p in NAMES[name])
        return Grant.DENIED if again else Grant.FOREVER

    def request(self, name: str, answered: Callable[[Grant], None]) -> None:
        """Ask for a permission."""
        from android.permissions import request_permissions

        def told(_names: Sequence[str], _grants: Sequence[bool]) -> None:
            self._refused.add(name)
            answered(self.permission(name))

        request_permissions(list(NAMES[name]), told)

    def open_settings(self) -> None:
        """Show the system's settings of this app."""
        settings = self._java("android.provider.Settings")
        intent = self._java("android.content.Intent")(settings.ACTION_APPLICATION_DETAILS_SETTINGS)
        intent.setData(self._java("android.net.Uri").fromParts("package", self._activity.getPackageName(), None))
        self._activity.startActivity(intent)

    def stay_awake(self, *, on: bool) -> None:
        """Begin or end the foreground service that keeps a recording alive."""
        service: Any = self._java(f"{self._activity.getPackageName()}.ServiceRecord")
        if on:
            service.start(self._activity, "")
        else:
            service.stop(self._activity)
