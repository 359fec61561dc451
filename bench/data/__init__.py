"""Data sets: cards, readers of raw data, prepared data, inputs, augmentation and batches."""
