"""Scores: sums over a corpus of per-sample pairs, divided at the very end."""
