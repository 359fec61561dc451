"""What each evaluation of a board counts on each sample, and the files that hold it."""
