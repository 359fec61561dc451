"""Inputs of recognizers from outside bench: their description, and the preparation of images."""
