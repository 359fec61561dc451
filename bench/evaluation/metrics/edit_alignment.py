"""The edits of a minimal alignment of two sequences: substitutions, insertions and deletions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from bench.core.errors import BenchError

UNIT_COSTS = (1, 1, 1)
MAX_CELLS = 1 << 24
"""The largest product of two lengths that is aligned at costs other than unit costs: 4,096 × 4,096
glosses, whose table takes 16 MB."""

_PAIR, _INSERTION, _DELETION = range(3)


class Edit(NamedTuple):
    """One edit: a substitution, an insertion or a deletion.

    Attributes:
        reference: The unit of the reference; None for an insertion.
        hypothesis: The unit of the hypothesis; None for a deletion.
    """

    reference: str | None
    hypothesis: str | None


def align_units(
    reference: Sequence[str],
    hypothesis: Sequence[str],
    costs: tuple[int, int, int] = UNIT_COSTS,
) -> list[Edit]:
    """Return the edits of an alignment with the lowest cost, in order of their position.

    Several alignments may have the lowest cost. At unit costs the result is that of rapidfuzz, and
    so of jiwer: common ends are matched, then, from the back, deletions precede insertions. At
    other costs it is that of NIST's sclite: in each cell of the table, from the front, a pair is
    preferred to an insertion and an insertion to a deletion.

    Args:
        reference: The units of the reference.
        hypothesis: The units of the hypothesis.
        costs: The costs of an insertion, a deletion and a substitution.

    Raises:
        BenchError: The costs are not unit costs, and the table would exceed `MAX_CELLS`.
    """
    if costs != UNIT_COSTS:
        return _align_weighted(reference, hypothesis, costs)
    return [
        Edit(
            None if edit.tag == "insert" else reference[edit.src_pos],
            None if edit.tag == "delete" else hypothesis[edit.dest_pos],
        )
        for edit in Levenshtein.editops(reference, hypothesis)
    ]


def _align_weighted(
    reference: Sequence[str], hypothesis: Sequence[str], costs: tuple[int, int, int]
) -> list[Edit]:
    if len(reference) * len(hypothesis) > MAX_CELLS:
        raise BenchError(
            f"a reference of {len(reference):,} units and a hypothesis of {len(hypothesis):,} are "
            "too long to be aligned; split both at the same positions"
        )
    insertion, deletion, substitution = costs
    above = [insertion * column for column in range(len(hypothesis) + 1)]
    choices = [bytearray([_INSERTION]) * len(above)]
    for row, expected in enumerate(reference, 1):
        current, chosen = [deletion * row], bytearray([_DELETION])
        for column, read in enumerate(hypothesis):
            best, choice = above[column] + (0 if expected == read else substitution), _PAIR
            if current[column] + insertion < best:
                best, choice = current[column] + insertion, _INSERTION
            if above[column + 1] + deletion < best:
                best, choice = above[column + 1] + deletion, _DELETION
            current.append(best)
            chosen.append(choice)
        above = current
        choices.append(chosen)
    return _trace(reference, hypothesis, choices)


def _trace(
    reference: Sequence[str], hypothesis: Sequence[str], choices: list[bytearray]
) -> list[Edit]:
    """Return the edits along the path through the table of choices that ends in its last cell."""
    edits = []
    row, column = len(reference), len(hypothesis)
    while row or column:
        choice = choices[row][column]
        row, column = row - (choice != _INSERTION), column - (choice != _DELETION)
        edit = Edit(
            None if choice == _INSERTION else reference[row],
            None if choice == _DELETION else hypothesis[column],
        )
        if edit.reference != edit.hypothesis:
            edits.append(edit)
    return edits[::-1]
