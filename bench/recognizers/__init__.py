"""Recognizers that bench does not train: programs, libraries, services, files."""
