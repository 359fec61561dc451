"""Readers of raw data sets, each a `bench.data.raw.entries.Reader`.

They list samples cheaply and in a fixed order, and load pixels on demand. Raw data may be damaged
or hostile: no file outside the folder of the data set is read, and no content is executed.
"""
