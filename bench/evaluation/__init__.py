"""Scoring: protocols, metrics, statistics and tables of predictions."""
