"""What a recognizer costs: parameters, MACs, and latency on this machine."""
