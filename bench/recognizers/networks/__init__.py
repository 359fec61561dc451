"""Networks with a classifier, which bench trains, or loads from files of weights."""
