"""What an executor runs: one training or one evaluation, from its specification to its record."""
