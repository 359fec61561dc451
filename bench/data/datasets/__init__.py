"""The data sets, one or one family per file."""
