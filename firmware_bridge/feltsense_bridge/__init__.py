"""Sensors over Bluetooth LE: every sample delivered or accounted for."""
