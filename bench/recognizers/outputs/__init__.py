"""What recognizers from outside bench compute, made into texts."""
