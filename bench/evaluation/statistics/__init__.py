"""Confidence intervals, paired tests and rank intervals of scores."""
