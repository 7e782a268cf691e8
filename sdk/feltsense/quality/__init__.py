"""One quality index per signal: 0..1 and, below 1, the reason."""
