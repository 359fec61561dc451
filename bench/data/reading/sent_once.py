"""What is sent to worker processes once."""


class SentOnce:
    """A base of what many passes refer to: a worker gets it once, and not with every pass.

    It must not change after it was first sent, but for memory that is shared.
    """
