"""Prepared data on disk: LMDB and Arrow."""
