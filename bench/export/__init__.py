"""Finished trainings outside the benchmark: exported folders, and readers of anyone's images."""
