"""bench.toml as values: suites, recipes, protocols, and what they name that does not exist."""
