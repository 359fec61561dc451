"""What may be wrong with a dataset, and what it looks like."""
