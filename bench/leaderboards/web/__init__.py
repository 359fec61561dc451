"""Boards as HTML pages: a static site, or one that `bench view` serves on this machine."""
