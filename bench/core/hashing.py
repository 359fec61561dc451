"""Keys as hashes of content: equal values give equal keys on every machine."""

from __future__ import annotations

import hashlib
import json


def digest(spec: object) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of `spec` as canonical JSON."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
