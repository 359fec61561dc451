"""Random ARPA models, and their evaluation by the definition of backoff, over tuples of tokens."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from bench.decoding.algorithms.arpa import read_arpa


class Model(NamedTuple):
    """A model as a text, and as tables of log10 values by n-gram."""

    text: str
    probabilities: dict[tuple[str, ...], float]
    backoffs: dict[tuple[str, ...], float]

    def ngrams(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.arpa"
            file.write_text(self.text, encoding="utf-8")
            return list(read_arpa(str(file), "arpa of a test"))


def written(sections, *counts):
    """Return a model with a header of `counts` before its sections."""
    header = "".join(f"ngram {order}={count}\n" for order, count in enumerate(counts, 1))
    return Model(f"\\data\\\n{header}\n{sections}\n\\end\\\n", {}, {})


@st.composite
def models(draw, tokens, min_order=1):
    """A random model of order 1 to 3 over some of the tokens, with or without <s>, </s>, <unk>.

    Contexts need not be n-grams themselves, and not every n-gram has a backoff weight.
    """
    special = draw(st.sets(st.sampled_from(["<s>", "</s>", "<unk>"])))
    unigrams = sorted({*draw(st.sets(st.sampled_from(tokens), min_size=1)), *special})
    probability = st.integers(-30, 0).map(lambda value: value / 10)
    backoff = st.none() | st.integers(-20, 5).map(lambda value: value / 10)
    order = draw(st.integers(min_order, 3))
    sections, counts, probabilities, backoffs = [], [], {}, {}
    for length in range(1, order + 1):
        ngrams = [(token,) for token in unigrams]
        if length > 1:
            ngram = st.tuples(*[st.sampled_from(unigrams)] * length)
            ngrams = sorted(draw(st.sets(ngram, max_size=12)))
        lines = [f"\\{length}-grams:"]
        for ngram in ngrams:
            probabilities[ngram] = draw(probability)
            weight = draw(backoff) if length < order else None
            line = f"{probabilities[ngram]}\t{' '.join(ngram)}"
            if weight is not None:
                backoffs[ngram] = weight
                line += f"\t{weight}"
            lines.append(line)
        counts.append(f"ngram {length}={len(ngrams)}")
        sections.append("\n".join(lines))
    body = "\n\n".join(sections)
    text = "\\data\\\n" + "\n".join(counts) + f"\n\n{body}\n\n\\end\\\n"
    return Model(text, probabilities, backoffs)


def direct_log_probability(model, tokens):
    """Return ln p of a text, after <s> and with </s> where the model has them."""
    known = {ngram[0] for ngram in model.probabilities if len(ngram) == 1}
    history = ["<s>"] if "<s>" in known else []
    ends = ["</s>"] if "</s>" in known else []
    total = 0.0
    for token in [*tokens, *ends]:
        named = token if token in known else "<unk>" if "<unk>" in known else None
        total += -99 if named is None else _conditional(model, tuple(history), named)
        # Nothing is known after a token that the model does not have.
        history = [] if named is None else [*history, named]
    return total * math.log(10)


def _conditional(model, history, token):
    if (*history, token) in model.probabilities:
        return model.probabilities[*history, token]
    return model.backoffs.get(history, 0.0) + _conditional(model, history[1:], token)
