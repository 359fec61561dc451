"""Boards as HTML pages: a static site, or one served to this machine."""
