"""The verbs of bench, one module per topic."""
