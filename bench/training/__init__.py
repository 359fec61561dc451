"""Training of networks: the step, the loop, optimizers and checkpoints."""
