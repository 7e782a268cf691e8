"""Where Android starts the app."""

from feltsense_app.start import phone

phone()
