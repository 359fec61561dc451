"""What `bench doctor` checks: the machine, the libraries, and the current bench.toml."""
