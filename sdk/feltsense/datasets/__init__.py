"""Data sets: synthetic participants and one reader per public data set, one file each."""
