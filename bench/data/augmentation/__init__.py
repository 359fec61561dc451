"""Augmentations: random changes of training samples, which recipes choose by name.

The modules here draw random parameters; `operations` has the operations on pixels.
"""
