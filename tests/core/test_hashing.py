"""Content keys, which must be the same on every machine and in every release."""

from __future__ import annotations

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from bench.core.hashing import digest

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_the_digest_of_a_given_spec_never_changes():
    # Another number would make every record stale.
    golden = "2dd2c98899b73318"
    assert digest({"b": [1, 2.5, None], "a": {"é": True}}) == golden
    text = '{"a":{"é":true},"b":[1,2.5,null]}'
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == golden


@given(st.dictionaries(st.text(), values, max_size=4))
def test_a_digest_depends_on_neither_order_nor_a_round_trip_through_json(spec):
    assert digest(dict(reversed(spec.items()))) == digest(spec)
    assert digest(json.loads(json.dumps(spec))) == digest(spec)
