"""All logic of the app, without a window: state as frozen dataclasses, actions as methods. Kivy is not imported here."""
