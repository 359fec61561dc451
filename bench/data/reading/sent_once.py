"""Base class of objects that are sent to each worker process only once."""


class SentOnce:
    """An object that the batches of many epochs refer to; each worker process receives it once.

    It must not change after it was first sent, except for shared memory.
    """
