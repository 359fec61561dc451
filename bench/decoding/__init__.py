"""Decoders: components that turn a classifier's logits into labels, one file per decoder."""
