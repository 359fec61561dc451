"""Data sets of users, declared by a table of bench.toml."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.core.documents import write_bytes
from bench.core.errors import BenchError
from bench.core.types import InputKind, Split
from bench.data.datasets.base import StoredDataset
from bench.data.store.prepared import DOCUMENT, NotPreparedError, read_prepared
from bench.evaluation import protocols
from bench.evaluation.protocols import Protocol

if TYPE_CHECKING:
    from bench.data.raw.entries import Reader
    from bench.data.raw.labels.own_labels import OwnLabels
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.store.prepared import Advance, Prepared

Samples = Literal["words", "lines", "clips"]

_DECLARED = "declared.sha256"
"""A file beside prepared data: the hash of the table that declared them."""
MAX_LOST = 0.5
"""The largest share of training samples with characters outside the alphabet."""
_MAX_SHOWN = 5


def character_rules(charset: str = "") -> Protocol:
    """Return the protocol of an alphabet of these characters, compared after Unicode NFC."""
    return Protocol("characters", 1, "Characters after NFC.", charset=charset, unicode="NFC")


@dataclass(frozen=True, kw_only=True)
class OwnDataset(StoredDataset):
    """Words, lines or clips of a user, declared as `[dataset.NAME]` in bench.toml.

    Attributes:
        name: NAME of the table.
        samples: The kind of its samples.
        alphabet: The protocol whose characters are learned; None for the characters of its training
            transcripts. Clips have glosses and no alphabet.
        labels: How its labels are read; None if this bench.toml does not declare it, such as for a
            data set that is restored from a record.
        about: A description in one sentence.
    """

    name: str  # type: ignore[misc]
    samples: Samples = "words"
    alphabet: Protocol | None = None
    labels: OwnLabels | None = field(default=None, compare=False)
    about: str = field(default="", compare=False)

    @property
    def gives(self) -> InputKind:  # type: ignore[override]
        """The kind of input: images or frames."""
        return "frames" if self.samples == "clips" else "image"

    @property
    def label(self) -> str:
        """The name; other keys of the table are not parameters."""
        return self.name

    def summary(self) -> str:  # type: ignore[override]
        """Return the description in one sentence."""
        where = f" in {self.labels.folder}" if self.labels else ""
        return self.about or f"{self.samples.capitalize()} of your own{where}."

    def changed(self) -> dict[str, Any]:
        """Return no parameters, because all settings are in `[dataset.NAME]`."""
        return {}

    def spec(self) -> dict[str, Any]:
        """Return what the data set adds to keys; fingerprints of splits hash its content."""
        alphabet = self.alphabet and self.alphabet.spec()
        parameters = {"samples": self.samples, "alphabet": alphabet}
        return {"name": self.name, "version": self.version, "own": parameters, "parameters": {}}

    def reader(self, source: Path) -> Reader:
        """Return the reader of the labels in `source`."""
        if self.labels is None:
            raise BenchError(
                f"data set '{self.name}' is not declared in this bench.toml; add its table "
                f"[dataset.{self.name}]"
            )
        return self.labels.reader(source)

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Stream the samples to LMDBs; store the hash of the declaration beside them."""
        from bench.data.store import preparing

        reader = self.reader(source)
        assert self.labels is not None  # noqa: S101 (`reader` raises otherwise)
        self._require_declared()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self.folder / _DECLARED, self.labels.digest.encode())
        clips = self.samples == "clips"
        return preparing.prepare(reader, source, self.folder, advance, clips=clips)

    def splits(self) -> tuple[Split, ...]:
        """Return the splits that were prepared. Raises NotPreparedError where none were."""
        self._require_prepared()
        return super().splits()

    def part_fingerprint(self, part: str) -> str:
        """Return the digest of a split. Raises NotPreparedError where nothing is prepared."""
        self._require_prepared()
        return super().part_fingerprint(part)

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the label encoder of `alphabet`, else of its own; for clips, of their glosses."""
        from bench.data.datasets.sign_language import gloss_encoder
        from bench.data.reading.label_encoder import LabelEncoder, encoder_of_alphabet

        if self.samples == "clips":
            return gloss_encoder(self, alphabet)
        if chosen := alphabet or self.alphabet:
            return encoder_of_alphabet(chosen)
        rules = character_rules()
        prepared = self.splits()
        splits = ("train",) if "train" in prepared else prepared
        texts = (text for split in splits for text in self.selection(split).texts())
        return LabelEncoder(tuple(sorted(set().union(*map(rules.normalize, texts)))), rules)

    def coverage(self, encoder: LabelEncoder) -> dict[Split, Coverage]:
        """Return per split how many samples have characters without a class in an encoder."""
        return {
            split: _coverage(encoder, [*self.selection(split).texts()]) for split in self.splits()
        }

    def require_coverage(self, encoder: LabelEncoder) -> None:
        """Raise BenchError if more than half of the training samples have such characters."""
        for split, covered in self.coverage(encoder).items():
            if split == "train" and covered.too_little:
                raise BenchError(
                    f"the alphabet lacks characters of {covered.samples:,} of "
                    f"{covered.total:,} training samples of data set '{self.name}' "
                    f"({covered.frequent}); "
                    f"add them to alphabet in [dataset.{self.name}], or remove that key to learn "
                    "the characters of its training samples"
                )

    def _require_declared(self) -> None:
        """Raise NotPreparedError where it was prepared in another way than its table declares."""
        file = self.folder / _DECLARED
        if self.labels is None or not file.exists():
            return
        if file.read_text(encoding="utf-8") != self.labels.digest:
            command = f"bench data prepare {self.name} --force"
            raise NotPreparedError(
                f"[dataset.{self.name}] has changed since '{self.name}' was prepared in "
                f"{self.folder}; run: {command}",
                self.name,
                command,
            )

    def _require_prepared(self) -> None:
        """Raise NotPreparedError where it is not prepared in the way that its table declares."""
        self._require_declared()
        if self.labels is not None and read_prepared(self.folder) is None:
            command = f"bench data prepare {self.name}"
            raise NotPreparedError(
                f"dataset '{self.name}' is not prepared: there is no {self.folder / DOCUMENT}; "
                f"run: {command}",
                self.name,
                command,
            )


@dataclass(frozen=True)
class Coverage:
    """How many samples of a split have characters that an alphabet lacks.

    Attributes:
        total: The number of samples of the split.
        samples: The number of samples with such a character.
        characters: The number of samples with each of these characters.
    """

    total: int
    samples: int
    characters: Counter[str]

    @property
    def too_little(self) -> bool:
        """Whether too many transcripts lack characters for a training to be meaningful."""
        return self.samples > MAX_LOST * self.total

    @property
    def frequent(self) -> str:
        """The most frequent such characters, each with its number of samples."""
        frequent = self.characters.most_common(_MAX_SHOWN)
        more = ", …" if len(self.characters) > _MAX_SHOWN else ""
        return ", ".join(f"{each!r} in {count:,}" for each, count in frequent) + more


def _coverage(encoder: LabelEncoder, texts: list[str]) -> Coverage:
    counts, samples = Counter[str](), 0
    for text in texts:
        lost = encoder.lost_tokens(text)
        counts.update(lost)
        samples += bool(lost)
    return Coverage(len(texts), samples, counts)


def own_dataset_of_record(spec: dict[str, Any]) -> OwnDataset | None:
    """Return the data set of a user from its `spec` in a record; None for a data set of bench."""
    if "own" not in spec:
        return None
    own = spec["own"]
    alphabet = protocols.protocol_from_spec(own["alphabet"], ()) if own["alphabet"] else None
    return OwnDataset(name=spec["name"], samples=own["samples"], alphabet=alphabet)
