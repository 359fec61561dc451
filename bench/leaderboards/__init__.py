"""Leaderboards: pure functions of records. The same records give the same bytes."""
