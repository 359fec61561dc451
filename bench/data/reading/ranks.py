"""Which rows of a batch each process of a data-parallel training reads."""


def block(count: int, rank: int, ranks: int) -> slice:
    """Return the rows of one rank: contiguous blocks, in order, whose sizes differ by at most 1.

    The first ranks have the larger blocks. Where there are fewer rows than ranks, those of the last
    ranks are empty.

    Args:
        count: The rows of the batch.
        rank: From 0.
        ranks: How many there are.
    """
    share, larger = divmod(count, ranks)
    first = rank * share + min(rank, larger)
    return slice(first, first + share + (rank < larger))
