from __future__ import annotations

import pytest
import torch


@pytest.fixture
def one_thread():
    """Compute in one thread: small tensors gain nothing by two, and ranks have one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
