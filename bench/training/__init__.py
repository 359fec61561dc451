"""One trial: fit, evaluate, record."""
