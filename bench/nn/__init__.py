"""The torch modules that models and losses are made of; unlike those, it may import torch."""
