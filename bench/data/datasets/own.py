"""A person's own data set, which a table of bench.toml declares."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.core.documents import write_bytes
from bench.core.errors import BenchError
from bench.core.types import InputKind, Split
from bench.data.datasets.base import StoredDataset
from bench.evaluation import protocols
from bench.evaluation.protocols import Protocol

if TYPE_CHECKING:
    from bench.data.raw.entries import Reader
    from bench.data.raw.labels.own_labels import OwnLabels
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.store.prepared import Advance, Prepared

Samples = Literal["words", "lines", "clips"]

_DECLARED = "declared.sha256"
"""Beside prepared data, a hash of how they were declared to be read."""
MAX_LOST = 0.5
"""The share of samples with characters outside the alphabet that is no longer taken."""
_SHOWN = 5


def character_rules(charset: str = "") -> Protocol:
    """Return the rules of an alphabet of these characters: they are compared after Unicode NFC."""
    return Protocol("characters", 1, "Characters after NFC.", charset=charset, unicode="NFC")


@dataclass(frozen=True, kw_only=True)
class OwnDataset(StoredDataset):
    """Words, lines or clips of a person's own, declared as `[dataset.NAME]` in bench.toml.

    Attributes:
        name: What bench.toml calls it.
        samples: What its samples are.
        alphabet: The protocol whose characters are learned; None: the characters of its training
            transcripts. Glosses have none.
        labels: How it is read; None where it was declared elsewhere and is only prepared.
        about: One sentence for people.
    """

    name: str  # type: ignore[misc]
    samples: Samples = "words"
    alphabet: Protocol | None = None
    labels: OwnLabels | None = field(default=None, compare=False)
    about: str = field(default="", compare=False)

    @property
    def gives(self) -> InputKind:  # type: ignore[override]
        """What its samples are to a network."""
        return "frames" if self.samples == "clips" else "image"

    @property
    def label(self) -> str:
        """Its name: the rest of the table is not a parameter."""
        return self.name

    def summary(self) -> str:  # type: ignore[override]
        """Return what it is, in a sentence."""
        where = f" in {self.labels.folder}" if self.labels else ""
        return self.about or f"{self.samples.capitalize()} of your own{where}."

    def changed(self) -> dict[str, Any]:
        """Return no parameter: `[dataset.NAME]` has them all."""
        return {}

    def spec(self) -> dict[str, Any]:
        """Return what is learned of it; what it holds is hashed by the fingerprints of splits."""
        alphabet = self.alphabet and self.alphabet.spec()
        parameters = {"samples": self.samples, "alphabet": alphabet}
        return {"name": self.name, "version": self.version, "own": parameters, "parameters": {}}

    def reader(self, source: Path) -> Reader:
        """Return the samples that the labels in `source` list."""
        if self.labels is None:
            raise BenchError(
                f"data set '{self.name}' is not declared in this bench.toml; add its table "
                f"[dataset.{self.name}]"
            )
        return self.labels.reader(source)

    def prepare(self, source: Path, advance: Advance) -> Prepared:
        """Stream what its labels list into LMDBs; keep how it was declared beside them."""
        from bench.data.store import preparing

        reader = self.reader(source)
        assert self.labels is not None  # noqa: S101 (`reader` has raised)
        self._require_declared()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self.folder / _DECLARED, self.labels.digest.encode())
        clips = self.samples == "clips"
        return preparing.prepare(reader, source, self.folder, advance, clips=clips)

    def splits(self) -> tuple[Split, ...]:
        """Return the splits that were prepared. Raises BenchError where the table has changed."""
        self._require_declared()
        return super().splits()

    def part_fingerprint(self, part: str) -> str:
        """Return the digest of a split. Raises BenchError where the table has changed."""
        self._require_declared()
        return super().part_fingerprint(part)

    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the encoder of an alphabet, else of its own; of clips, of all their glosses."""
        from bench.data.datasets.sign_language import gloss_encoder
        from bench.data.reading.label_encoder import LabelEncoder, encoder_of_alphabet

        if self.samples == "clips":
            return gloss_encoder(self, alphabet)
        if chosen := alphabet or self.alphabet:
            return encoder_of_alphabet(chosen)
        rules = character_rules()
        there = self.splits()
        splits = ("train",) if "train" in there else there
        texts = (text for split in splits for text in self.selection(split).texts())
        return LabelEncoder(tuple(sorted(set().union(*map(rules.normalize, texts)))), rules)

    def coverage(self, encoder: LabelEncoder) -> dict[Split, Coverage]:
        """Return what of the transcripts of each split an encoder has no classes for."""
        return {
            split: _coverage(encoder, [*self.selection(split).texts()]) for split in self.splits()
        }

    def require_coverage(self, encoder: LabelEncoder) -> None:
        """Raise BenchError where more than half of the training samples lose characters."""
        for split, covered in self.coverage(encoder).items():
            if split == "train" and covered.too_little:
                raise BenchError(
                    f"the alphabet misses characters of {covered.samples:,} of "
                    f"{covered.of:,} training samples of data set '{self.name}' ({covered.named}); "
                    f"add them to alphabet in [dataset.{self.name}], or remove that key to learn "
                    "the characters of its training samples"
                )

    def _require_declared(self) -> None:
        """Raise BenchError where it is prepared in another way than its table says now."""
        file = self.folder / _DECLARED
        if self.labels is None or not file.exists():
            return
        if file.read_text(encoding="utf-8") != self.labels.digest:
            raise BenchError(
                f"[dataset.{self.name}] has changed since '{self.name}' was prepared in "
                f"{self.folder}; run: bench data prepare {self.name} --force"
            )


@dataclass(frozen=True)
class Coverage:
    """The samples of a split with characters that an alphabet does not have.

    Attributes:
        of: All samples of the split.
        samples: Those that have such a character.
        characters: How many samples have each.
    """

    of: int
    samples: int
    characters: Counter[str]

    @property
    def too_little(self) -> bool:
        """Whether training on it would not teach what its transcripts say."""
        return self.samples > MAX_LOST * self.of

    @property
    def named(self) -> str:
        """The most frequent characters, each with the number of samples that have it."""
        most = self.characters.most_common(_SHOWN)
        more = ", …" if len(self.characters) > _SHOWN else ""
        return ", ".join(f"{each!r} in {count:,}" for each, count in most) + more


def _coverage(encoder: LabelEncoder, texts: list[str]) -> Coverage:
    counts, samples = Counter[str](), 0
    for text in texts:
        lost = encoder.lost_tokens(text)
        counts.update(lost)
        samples += bool(lost)
    return Coverage(len(texts), samples, counts)


def own_dataset_of_record(spec: dict[str, Any]) -> OwnDataset | None:
    """Return the data set of a record, which has its `spec`; None where it is one of bench."""
    if "own" not in spec:
        return None
    own = spec["own"]
    alphabet = protocols.from_spec(own["alphabet"], ()) if own["alphabet"] else None
    return OwnDataset(name=spec["name"], samples=own["samples"], alphabet=alphabet)
