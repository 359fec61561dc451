"""From a classifier's output to a sequence of tokens."""
