"""What everything else speaks in: signals, time, chunks, recordings, windows, features, predictions, profiles."""
