"""The label formats that `format` of `[dataset.NAME]` may name."""

from __future__ import annotations

from bench.data.raw.labels.label_format import LabelFormat

FORMATS: dict[str, type[LabelFormat]] = {
    format_.name: format_ for format_ in ()
}
"""By name, in the order in which `bench data init` lists what it found."""
