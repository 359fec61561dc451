"""The rows of a batch that each rank of a data-parallel training reads."""


def rank_rows(count: int, rank: int, ranks: int) -> slice:
    """Return the rows of one rank: contiguous blocks in order, whose sizes differ by at most 1.

    The first ranks have the larger blocks. A batch with fewer rows than ranks is read by each rank
    as a whole, so that no rank is without samples; the mean over all ranks is still that of the
    batch.

    Args:
        count: The number of rows of the batch.
        rank: The rank, from 0.
        ranks: The number of ranks.
    """
    if count < ranks:
        return slice(0, count)
    share, larger = divmod(count, ranks)
    first = rank * share + min(rank, larger)
    return slice(first, first + share + (rank < larger))
