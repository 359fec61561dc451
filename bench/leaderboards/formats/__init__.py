"""Boards as text: for a terminal, as Markdown, and to take away."""
