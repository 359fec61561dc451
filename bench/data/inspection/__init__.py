"""Inspection of data sets: checks, contact sheets, and counts of labels."""
