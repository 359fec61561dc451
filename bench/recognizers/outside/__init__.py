"""Shared parts of recognizers from outside bench: their files, programs and classes."""
