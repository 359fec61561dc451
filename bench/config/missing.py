"""What a suite names that bench does not have: it may stand in bench.toml before its parts do."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from bench.core import registry
from bench.core.errors import did_you_mean, nearest
from bench.evaluation.protocols import PROTOCOLS

if TYPE_CHECKING:
    from bench.config.suite import SuiteTable

Key = Literal["protocol", "datasets", "models", "losses"]
Needs = dict[Key, list[str]]
"""Names by the key under which they stand, in the order of the suite."""

# `radial` is a slip of `radial-ctc` (0.75), `seq-mnist` is none of `seq-digits` (0.63).
_SLIP = 0.7
_KINDS: dict[Key, registry.Kind] = {"datasets": "dataset", "models": "model", "losses": "loss"}


def of(table: SuiteTable) -> Needs:
    """Return the names in `table` that are of no protocol and no component, each once."""
    named: Needs = {"protocol": [table.protocol]}
    for key in _KINDS:
        entries = [e if isinstance(e, str) else e.get("name") for e in getattr(table, key)]
        named[key] = list(dict.fromkeys(name for name in entries if isinstance(name, str)))
    unknown = {key: _unknown(key, names) for key, names in named.items()}
    return {key: names for key, names in unknown.items() if names}


def said(needs: Needs) -> str:
    """Say in a sentence what is needed and what to do; of a single name, which one it is near."""
    (key, (name, *others)), *more = needs.items()
    known = _known(key)
    if not (others or more) and (key == "protocol" or nearest(name, known, _SLIP)):
        return f"there is no {_KINDS.get(key, key)} '{name}'{did_you_mean(name, known)}"
    return (
        f"needs what bench does not have yet: {', '.join(_listed(*item) for item in needs.items())}"
        "; `bench ls datasets | models | losses` lists what there is, "
        "docs/components.md tells how to add to it"
    )


def _unknown(key: Key, names: list[str]) -> list[str]:
    # Other packages are asked only where bench's own names do not do: that is slow.
    if key != "protocol" and registry.builtin(_KINDS[key]).keys() >= set(names):
        return []
    known = _known(key)
    return [name for name in names if name not in known]


def _known(key: Key) -> Collection[str]:
    return PROTOCOLS if key == "protocol" else registry.everything(_KINDS[key])


def _listed(key: Key, names: list[str]) -> str:
    *before, last = (f"'{name}'" for name in names)
    noun = key if before else _KINDS.get(key, key)
    return f"the {noun} {', '.join(before)}{' and ' if before else ''}{last}"
