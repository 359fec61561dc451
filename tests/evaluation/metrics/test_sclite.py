"""Gloss WER, compared with NIST's sclite if it is installed (Debian: the package sctk)."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess

import pytest

from bench.evaluation import protocols
from bench.evaluation.metrics.scoring import score_samples
from bench.evaluation.metrics.text_files import read_samples

# Debian installs it outside PATH, for a command `sctk`.
SCLITE = shutil.which("sclite", path=f"{os.environ['PATH']}:/usr/lib/sctk/bin")
pytestmark = pytest.mark.skipif(SCLITE is None, reason="sclite is not installed")
SENTENCES = 500
# Hyphens, so that the cleaning merges and joins nothing in a reference.
FEW = ["WIND-A", "NORD-A", "REGEN-A", "SONNE-A"]
MANY = [*FEW, *(f"{word}-{n}" for word in FEW for n in range(4)), "__ON__", "nord-a-1"]


def corpus(folder, seed, vocabulary, noise):
    """Write sentences and noisy readings of them as STM and CTM; some readings are empty."""
    draw = random.Random(seed)  # noqa: S311 (sentences, no secrets)
    stm, ctm = [], []
    for number in range(SENTENCES):
        name = f"u{number:05d}"
        words = [draw.choice(vocabulary) for _ in range(draw.randint(1, 15))]
        read = []
        for word in words:
            while draw.random() < noise / 2:
                read.append(draw.choice(vocabulary))
            if draw.random() > noise:
                read.append(word)
        # bench merges repetitions, and sclite counts them.
        read = [word for n, word in enumerate(read) if not n or word.upper() != read[n - 1].upper()]
        stm.append(f"{name} 1 signer{number % 9} 0.0 1.79769e+308 {' '.join(words)}\n")
        times = [f"{n / 100:.2f} {(n + 1) / 100:.2f}" for n in range(len(read))]
        ctm += [f"{name} 1 {t} {w}\n" for t, w in zip(times, read, strict=True)]
        if not read:
            ctm.append(f"{name} 1 0.000 0.030 [EMPTY]\n")
    (folder / "ref.stm").write_text("".join(stm))
    (folder / "hyp.ctm").write_text("".join(ctm))
    return folder / "ref.stm", folder / "hyp.ctm"


def sclite(reference, hypothesis, scored=SENTENCES):
    """Return correct, substituted, deleted and inserted glosses, as sclite sums them."""
    words = ["-h", hypothesis, "ctm", "-r", reference, "stm", "-f", "0", "-o", "pra", "stdout"]
    answer = subprocess.run([SCLITE, *words], capture_output=True, text=True, check=True).stdout
    scores = re.findall(r"Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)", answer)
    assert len(scores) == scored
    return [sum(int(score[n]) for score in scores) for n in range(4)]


@pytest.mark.parametrize("vocabulary", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize(("seed", "noise"), [(0, 0.2), (1, 0.5), (2, 0.8)])
def test_errors_equal_those_of_sclite(tmp_path, seed, noise, vocabulary):
    files = corpus(tmp_path, seed, vocabulary, noise)
    correct, substituted, deleted, inserted = sclite(*files)
    protocol = protocols.find_protocol("gloss-phoenix14")
    result = score_samples(protocol, read_samples(*files))
    assert result.excluded == {}
    assert result.metrics["wer"].denominator == correct + substituted + deleted
    edits = result.substitutions, result.deletions, result.insertions
    assert edits == (substituted, deleted, inserted)


def segments(folder, seed):
    """Write two files of two channels, with gaps and ignored segments."""
    draw = random.Random(seed)  # noqa: S311 (sentences, no secrets)
    stm, ctm, scored = [], [], 0
    for channel in ("u1 A", "u1 B", "u2 1", "u2 2"):
        clock = 0.0
        for _ in range(50):
            begin = clock + draw.choice([0, 0, 0.5])
            clock = begin + draw.choice([1, 2])
            words = [draw.choice(FEW) for _ in range(draw.randint(0, 6))] + ["REGEN-A"]
            ignored = draw.random() < 0.2
            scored += not ignored
            text = "IGNORE_TIME_SEGMENT_IN_SCORING" if ignored else " ".join(words)
            stm.append(f"{channel} s {begin:.2f} {clock:.2f} <o,f0> {text}\n")
        times = sorted(draw.uniform(-1, clock + 1) for _ in range(250))
        read = [draw.choice(MANY) for _ in times]
        rows = zip(times, read, strict=True)
        ctm += [f"{channel} {t:.2f} {draw.choice([0, 0.1, 0.5])} {word}\n" for t, word in rows]
    (folder / "ref.stm").write_text("".join(stm))
    (folder / "hyp.ctm").write_text("".join(ctm))
    return folder / "ref.stm", folder / "hyp.ctm", scored


@pytest.mark.parametrize("seed", range(3))
def test_segments_and_channels_equal_those_of_sclite(tmp_path, seed):
    *files, scored = segments(tmp_path, seed)
    correct, substituted, deleted, inserted = sclite(*files, scored)
    # Without the cleaning of PHOENIX14, which merges repetitions.
    costs = {"unit": "gloss", "case": "upper", "costs": [3, 3, 4]}
    result = score_samples(protocols.declare_protocol("plain", costs), read_samples(*files))
    assert result.samples == scored
    assert result.metrics["wer"].denominator == correct + substituted + deleted
    edits = result.substitutions, result.deletions, result.insertions
    assert edits == (substituted, deleted, inserted)
