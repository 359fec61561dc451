"""Samples of a split as batches of tensors."""
