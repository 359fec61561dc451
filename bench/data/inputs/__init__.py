"""How pixels become tensors."""
