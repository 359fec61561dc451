"""Readers of datasets as their authors hand them out, each a `bench.data.raw.entries.Reader`.

They list samples cheaply and in a fixed order, and read pixels when asked. What they read may be
damaged or hostile: nothing outside the data set's folder is read, and nothing in it is executed.
"""
