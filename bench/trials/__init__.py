"""What is run: the grid of a suite, its plan, the records on disk and where they come from."""
