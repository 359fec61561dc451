"""Which units were substituted, inserted and deleted: one minimal alignment of two sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.core.errors import BenchError

MOST_BITS = 1 << 28
MOST_CELLS = 1 << 24
"""The largest product of two lengths that is aligned: about 70 MB at unit costs, 16 MB at others,
16,384 characters by as many or 4,096 glosses by as many."""

_PAIR, _INSERTION, _DELETION = range(3)


class Edit(NamedTuple):
    """A unit of the reference and what is read for it: None where nothing is, or was."""

    reference: str | None
    hypothesis: str | None


def aligned(
    reference: Sequence[str], hypothesis: Sequence[str], costs: tuple[int, int, int] = (1, 1, 1)
) -> list[Edit]:
    """Return the edits of the cheapest alignment, in order.

    `costs` are those of an insertion, a deletion and a substitution. Of equally cheap alignments
    these rules choose one. At unit costs: common ends are matched, then from the back deletions go
    first, then insertions. At others: from the front, in each cell a pair goes before an insertion
    and that before a deletion, which is what NIST's sclite does.
    Raises BenchError where the two are so long that the alignment would take the memory.
    """
    unit = costs == (1, 1, 1)
    if len(reference) * len(hypothesis) > (MOST_BITS if unit else MOST_CELLS):
        raise BenchError(
            f"a reference of {len(reference):,} units and a hypothesis of {len(hypothesis):,} are "
            "too long to be aligned; cut both at the same places"
        )
    if not unit:
        return _weighted(reference, hypothesis, costs)
    shorter = min(len(reference), len(hypothesis))
    first = 0
    while first < shorter and reference[first] == hypothesis[first]:
        first += 1
    last = 0
    while last < shorter - first and reference[-1 - last] == hypothesis[-1 - last]:
        last += 1
    wanted = reference[first : len(reference) - last]
    read = hypothesis[first : len(hypothesis) - last]
    # What most errors are: a letter lost, added or mistaken for another.
    if not read:
        return [Edit(unit, None) for unit in wanted]
    if not wanted:
        return [Edit(None, unit) for unit in read]
    if len(wanted) == len(read) == 1:
        return [Edit(wanted[0], read[0])]
    return _levenshtein(wanted, read)


def _levenshtein(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """Align at unit costs, a whole row of the table at once in the bits of an integer.

    Hyyrö, "A Note on Bit-Parallel Alignment Computation" (2004): of each row it keeps where the
    distance rises (`up`) and falls (`down`) from one unit of the reference to the next.
    """
    places: dict[str, int] = {}
    for place, unit in enumerate(reference):
        places[unit] = places.get(unit, 0) | 1 << place
    full = (1 << len(reference)) - 1
    up, down = full, 0
    rows = []
    for unit in hypothesis:
        match = places.get(unit, 0) | down
        diagonal = (((match & up) + up) ^ up) | match
        rise = (down | ~(diagonal | up)) << 1 | 1
        fall = (diagonal & up) << 1
        up, down = (fall | ~(diagonal | rise)) & full, rise & diagonal & full
        rows.append((up, down))
    return _traced(reference, hypothesis, rows)


def _traced(
    reference: Sequence[str], hypothesis: Sequence[str], rows: list[tuple[int, int]]
) -> list[Edit]:
    found = []
    row, column = len(hypothesis), len(reference)
    while row and column:
        if rows[row - 1][0] >> (column - 1) & 1:
            column -= 1
            found.append(Edit(reference[column], None))
            continue
        row -= 1
        if row and rows[row - 1][1] >> (column - 1) & 1:
            found.append(Edit(None, hypothesis[row]))
            continue
        column -= 1
        if reference[column] != hypothesis[row]:
            found.append(Edit(reference[column], hypothesis[row]))
    found += [Edit(reference[place], None) for place in reversed(range(column))]
    found += [Edit(None, hypothesis[place]) for place in reversed(range(row))]
    return found[::-1]


def _weighted(
    reference: Sequence[str], hypothesis: Sequence[str], costs: tuple[int, int, int]
) -> list[Edit]:
    insertion, deletion, substitution = costs
    above = [insertion * place for place in range(len(hypothesis) + 1)]
    choices = [bytearray([_INSERTION]) * len(above)]
    for number, wanted in enumerate(reference, 1):
        row, chosen = [deletion * number], bytearray([_DELETION])
        for place, read in enumerate(hypothesis):
            best, choice = above[place] + (0 if wanted == read else substitution), _PAIR
            if row[place] + insertion < best:
                best, choice = row[place] + insertion, _INSERTION
            if above[place + 1] + deletion < best:
                best, choice = above[place + 1] + deletion, _DELETION
            row.append(best)
            chosen.append(choice)
        above = row
        choices.append(chosen)
    found = []
    line, column = len(reference), len(hypothesis)
    while line or column:
        choice = choices[line][column]
        line, column = line - (choice != _INSERTION), column - (choice != _DELETION)
        edit = Edit(
            None if choice == _INSERTION else reference[line],
            None if choice == _DELETION else hypothesis[column],
        )
        if edit.reference != edit.hypothesis:
            found.append(edit)
    return found[::-1]
