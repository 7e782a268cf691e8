"""From features to one estimate: normalise to the person, fuse the experts, calibrate, smooth."""
