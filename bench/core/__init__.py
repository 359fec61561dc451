"""What everything else builds on: types, component bases, the registry, errors, hashing."""
