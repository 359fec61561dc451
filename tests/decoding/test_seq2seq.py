from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.decoding.seq2seq import until_end


@given(
    st.integers(1, 4), st.integers(1, 6), st.integers(2, 4), st.integers(0, 2**32), st.booleans()
)
def test_it_reads_up_to_the_first_end(samples, steps, classes, seed, ties):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(samples, steps, classes, generator=generator)
    logits = logits.round() if ties else logits
    found = until_end(logits, torch.full((samples,), steps))
    for n, rows in enumerate(logits.double().softmax(-1).numpy()):
        labels, confidence = [], 1.0
        for row in rows:
            best = int(row.argmax())
            confidence *= row[best]
            if best == 0:
                break
            labels.append(best)
        assert found.labels[n].tolist() == labels
        assert found.path[n].tolist() == labels + [0] * (steps - len(labels))
        np.testing.assert_allclose(found.confidence[n], confidence, rtol=1e-5)
