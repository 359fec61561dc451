"""The rows of a batch that a process of a data-parallel training reads."""


def rank_rows(count: int, rank: int, ranks: int) -> slice:
    """Return the rows of one rank: contiguous blocks, in order, whose sizes differ by at most 1.

    The first ranks have the larger blocks. Fewer rows than ranks are read by each rank: no network
    computes without samples, and the mean over all ranks is that of the batch all the same.

    Args:
        count: The rows of the batch.
        rank: From 0.
        ranks: How many there are.
    """
    if count < ranks:
        return slice(0, count)
    share, larger = divmod(count, ranks)
    first = rank * share + min(rank, larger)
    return slice(first, first + share + (rank < larger))
