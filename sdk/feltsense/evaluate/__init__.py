"""Scoring a model on people it never saw, beside the guards that show what a figure is worth."""
