"""Transforms of stored pixels to input tensors."""
