"""What is seen: each screen binds to one presenter, and decides nothing. Only here and in `main` is Kivy imported.

Kivy reads its settings when its clock and its window are first imported, so they are made here, before any screen is.
"""

from kivy.config import Config

# Samples along edges double the work of a software rasteriser, for corners that nobody looks at.
Config.set("graphics", "multisamples", "0")
# Thirty frames a second are what a pulse needs; Kivy's clock is a seventh faster than it is told.
Config.set("graphics", "maxfps", "26")
