"""Shared parts of recognizers from outside bench: files, programs and classes of others."""
