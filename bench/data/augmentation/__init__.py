"""Augmentations: random changes of training samples, each of which a recipe may name.

What they draw is in the modules here; what they do to pixels is in `operations`.
"""
