"""Reads bench.toml: suites, recipes, protocols and data sets, with a sentence per mistake."""
