"""What reads: networks with a classifier and a decoder, and readers from outside."""
