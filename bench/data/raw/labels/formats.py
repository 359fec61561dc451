"""The label formats that `format` of `[dataset.NAME]` may name."""

from __future__ import annotations

from bench.data.raw.labels.arrow_tables import ParquetTable, SavedDataset
from bench.data.raw.labels.bentham import Bentham
from bench.data.raw.labels.csv_table import CsvTable
from bench.data.raw.labels.hocr import Hocr
from bench.data.raw.labels.json_lists import JsonLines, JsonMap, MmocrList
from bench.data.raw.labels.label_format import LabelFormat
from bench.data.raw.labels.line_lists import (
    CommaList,
    EasyOcrList,
    IcdarList,
    SpaceList,
    TabList,
)
from bench.data.raw.labels.lmdbs import Lmdb
from bench.data.raw.labels.pairs import Pairs
from bench.data.raw.labels.sign_tables import SignCorpus
from bench.data.raw.labels.token_tables import Kaldi, PyLaia
from bench.data.raw.labels.xml_pages import Alto, PageXml

_LISTED: tuple[type[LabelFormat], ...] = (
    TabList,
    SpaceList,
    CommaList,
    IcdarList,
    CsvTable,
    EasyOcrList,
    JsonLines,
    JsonMap,
    MmocrList,
    Pairs,
    Lmdb,
    SavedDataset,
    ParquetTable,
    PageXml,
    Alto,
    Hocr,
    Kaldi,
    PyLaia,
    Bentham,
    SignCorpus,
)

FORMATS: dict[str, type[LabelFormat]] = {each.name: each for each in _LISTED}
"""The formats by name. If several read the same rows, `bench data init` chooses the first."""
