"""The study participant's app: pair a sensor, see that it works, stop and erase at will.

Layers: `presenters` (all logic, no window, no waiting) ← `service` (what runs while the phone is in a pocket) ←
`screens` (only bind) ← `main`. What differs between a desktop and a phone is in `platform`. ``docs/app.md``.
"""
