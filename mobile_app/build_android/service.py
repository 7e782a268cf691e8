"""The foreground service: while it stands, Android leaves the app's process, and with it the recording, alone."""

import time

A_WHILE_S = 3600

while True:
    time.sleep(A_WHILE_S)
