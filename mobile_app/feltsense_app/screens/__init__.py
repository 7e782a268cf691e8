"""What is seen: each screen binds to one presenter, and decides nothing. Only here and in `main` is Kivy imported.

Kivy reads its settings when its clock and its window are first imported, so they are made here, before any screen is.
"""

from kivy.config import Config

# Samples along edges double the work of a software rasteriser, for corners that nobody looks at.
Config.set("graphics", "multisamples", "0")
# Thirty frames a second are what a pulse needs. Three more, since what a busy machine is late with is not made up for.
Config.set("graphics", "maxfps", "33")

from kivy.clock import Clock  # noqa: E402 (it reads the settings above)

# Kivy's clock goes on when four fifths of its resolution are left of a frame, and does not sleep at all where less than nine
# fifths are. By itself the resolution is a third of a frame: 41 frames for 30 on a fast machine, and 50 where each takes
# 20 ms. A thousandth of a second is what asyncio's sleep keeps to.
Clock.clock_resolution = 0.001
