"""Reader of RWTH-PHOENIX-Weather 2014 T: sentences with glosses; translations are not read.

Source: Camgoz et al., "Neural Sign Language Translation" (2018).
"""

from __future__ import annotations

from pathlib import Path

from bench.data.raw.phoenix14 import Corpus, CorpusReader

_CORPUS = Corpus(
    "PHOENIX14 T",
    ("PHOENIX-2014-T", "PHOENIX-2014-T-release-v3/PHOENIX-2014-T"),
    "annotations/manual/PHOENIX-2014-T.{}.corpus.csv",
    ("name", "video", "start", "end", "speaker", "orth", "translation"),
    {"id": "name", "folder": "video", "signer": "speaker", "text": "orth"},
)


class Phoenix14TReader(CorpusReader):
    """Reader of PHOENIX14 T."""

    def __init__(self, source: Path) -> None:
        super().__init__(source, _CORPUS)
