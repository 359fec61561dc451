"""What `bench doctor` checks: the machine, the libraries, and the bench.toml at hand."""
