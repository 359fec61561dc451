"""What a recognizer costs: parameters, MACs, and latency on the hardware at hand."""
