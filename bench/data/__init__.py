"""Datasets and what reads them."""
