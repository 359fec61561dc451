"""What decoders compute with torch and NumPy; imported when a decoder is built, not listed."""
