"""Packs: results of other people in one file, which are checked before they are added."""
