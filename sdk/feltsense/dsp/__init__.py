"""Signal processing on numpy and scipy: whatever the cut into chunks, the same bits."""
