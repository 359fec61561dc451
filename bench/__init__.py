"""bench: fair, reproducible leaderboards for sequence recognition."""

__version__ = "0.1.0"
