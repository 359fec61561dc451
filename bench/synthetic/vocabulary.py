"""Words and sentences for generators: common English words, and pronounceable invented ones."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.synthetic.randomness import happens, one_of


def _words(words: str) -> tuple[str, ...]:
    return tuple(words.split())


COMMON = _words(Path(__file__).with_name("words.txt").read_text())
_FUNCTION_WORDS = _words(
    "the of and to a in that it is was for on as with his be at by had not are but from or have an "
    "they which one you were her all she there would their we him been has when who will"
)
_ONSETS = _words(
    "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p ph pl pr qu r s sc sh sl sp st str sw t "
    "th tr v w wh y z"
)
_NUCLEI = _words("a e i o u a e i o ai ea ee oa oo ou au ie y")
_CODAS = _words("b ck d f g l ll m n nd ng nt p r rd rk rm rn s ss st t tch x ct mp lt")
_ENDINGS = (*10 * ("",), *_words("s ed er ing tion ness ment able ly ity ous est ward ism"))
_FIXED_WORDS = (string.digits, "electroencephalographic")
"""Words of every lexicon: all digits, and a word as long as the longest of Synth90k."""
MAX_LENGTH = 23
_SHORT_LENGTH = 3
_FREQUENT_LETTERS = frozenset("abdehilnorstw")


class Token(NamedTuple):
    """A word or a punctuation mark; a `glued` token follows the token before without a space."""

    text: str
    glued: bool = False


def short_words() -> list[str]:
    """Return the common words of three frequent letters, sorted.

    There are few letters and few words of one length, so that a small network learns to read them
    within a minute.
    """
    return sorted(
        word for word in COMMON if len(word) == _SHORT_LENGTH and _FREQUENT_LETTERS.issuperset(word)
    )


def lexicon(rng: np.random.Generator, size: int) -> list[str]:
    """Return `size` different lower-case words, sorted; some have digits."""
    words = dict.fromkeys((*COMMON, *_FIXED_WORDS))
    while len(words) < size:
        word = _with_digits(rng) if happens(rng, 0.06) else _pronounceable(rng)
        if len(word) <= MAX_LENGTH:
            words[word] = None
    return sorted(words)


def _pronounceable(rng: np.random.Generator) -> str:
    word = ""
    for _ in range(rng.choice((1, 2, 3, 4), p=(0.3, 0.5, 0.17, 0.03))):
        word += one_of(rng, _ONSETS) + one_of(rng, _NUCLEI)
        if happens(rng, 0.3):
            word += one_of(rng, _CODAS)
    return word + one_of(rng, _ENDINGS)


def _with_digits(rng: np.random.Generator) -> str:
    number = str(rng.integers(10 ** rng.integers(1, 6)))
    letters = "".join(one_of(rng, string.ascii_lowercase) for _ in range(rng.integers(4)))
    return f"{letters}{number}" if happens(rng, 0.5) else f"{number}{letters}"


def sentences(rng: np.random.Generator) -> Iterator[list[Token]]:
    """Yield sentences forever, tokenized as in lists of IAM: punctuation marks are tokens."""
    while True:
        tokens: list[Token] = []
        for position in range(rng.integers(4, 14)):
            word = one_of(rng, _FUNCTION_WORDS if happens(rng, 0.45) else COMMON)
            tokens += _phrase(rng, word.capitalize() if position == 0 else word)
            if position and happens(rng, 0.07):
                tokens.append(Token(one_of(rng, ",,,,;:"), glued=True))
        yield [*tokens, Token("and"), *_phrase(rng, one_of(rng, COMMON)), _end(rng)]


def _end(rng: np.random.Generator) -> Token:
    return Token(one_of(rng, "......!?"), glued=True)


def _phrase(rng: np.random.Generator, word: str) -> list[Token]:
    """Return `word`, sometimes with a name, a number or punctuation marks."""
    if happens(rng, 0.78):
        return [Token(word)]
    other, number = one_of(rng, COMMON), str(rng.integers(2, 2000))
    usual: Sequence[list[Token]] = (
        [Token(word), Token("'s", glued=True)],
        [Token(f"{word}-{other}")],
        [Token(word), Token(one_of(rng, ("Mr.", "Mrs.", "Dr."))), Token(other.capitalize())],
        [Token(word), Token('"'), Token(other, glued=True), Token('"', glued=True)],
        [Token(word), Token("("), Token(other, glued=True), Token(")", glued=True)],
        [Token(word), Token(number)],
        [Token(word), Token(other.upper())],
    )
    rare: Sequence[list[Token]] = (
        [Token(word), Token(f"{number}/{rng.integers(2, 9)}")],
        [Token(word), Token("&"), Token(other.capitalize())],
        [Token(word), Token("+"), Token(number)],
        [Token(word), Token("#")],
        [Token(word), Token("*", glued=True)],
    )
    return one_of(rng, rare if happens(rng, 0.15) else usual)
