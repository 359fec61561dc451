"""Names in a suite that do not exist: it may be written before its components are."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

from bench.core import registry
from bench.core.errors import did_you_mean, nearest
from bench.core.plugin_files import with_how_to_add
from bench.evaluation.protocols import PROTOCOLS

if TYPE_CHECKING:
    from bench.config.suite import Named, SuiteTable

Key = Literal[
    "protocol",
    "alphabet",
    "datasets",
    "train",
    "tests",
    "models",
    "losses",
    "decoders",
    "recognizers",
]
Missing = dict[Key, list[str]]
"""Missing names by the key that lists them, in the order of the suite."""

_TYPO = 0.7
"""Similarity above which a missing name counts as a typo, else as a component to be written. It is
between that of `radial` and `radial-ctc` (0.75) and that of `seq-mnist` and `seq-digits` (0.63)."""
KINDS: dict[Key, registry.Kind] = {
    "datasets": "dataset",
    "train": "dataset",
    "tests": "dataset",
    "models": "model",
    "losses": "loss",
    "decoders": "decoder",
    "recognizers": "recognizer",
}
"""The kind of the components that a key of a suite lists."""


def missing_names(
    table: SuiteTable, protocols: Collection[str] = (), datasets: Collection[str] = ()
) -> Missing:
    """Return the names in `table` that neither bench nor bench.toml has.

    Args:
        table: A suite.
        protocols: The protocols that bench.toml declares.
        datasets: The data sets that bench.toml declares.
    """
    named: dict[Key, list[str]] = {
        "protocol": [table.protocol],
        "alphabet": [table.alphabet] if table.alphabet else [],
    }
    for key in KINDS:
        entries: list[Named] = getattr(table, key)
        names = [entry if isinstance(entry, str) else entry.get("name") for entry in entries]
        named[key] = list(dict.fromkeys(name for name in names if isinstance(name, str)))
    unknown = {key: _unknown_names(key, names, protocols, datasets) for key, names in named.items()}
    return {key: names for key, names in unknown.items() if names}


def sentence(
    missing: Missing, protocols: Collection[str] = (), datasets: Collection[str] = ()
) -> str:
    """Return the error message for missing names; for a single one, with the nearest existing."""
    (key, (name, *others)), *more = missing.items()
    existing = _existing_names(key, protocols, datasets)
    kinds = [KINDS[key] for key in missing if key in KINDS]
    faults = [*dict.fromkeys(fault for kind in kinds for fault in registry.faults(kind))]
    single = not (others or more)
    if single and (key not in KINDS or nearest(name, existing, _TYPO)):
        noun = KINDS.get(key, "protocol")
        single_fault = f"there is no {noun} '{name}'{did_you_mean(name, existing)}"
        return with_how_to_add(single_fault, faults) if key in KINDS else single_fault
    phrases = ", ".join(_noun_phrase(*item) for item in missing.items())
    return with_how_to_add(
        f"needs what bench does not have yet: {phrases}; "
        "`bench ls datasets | models | losses | decoders | recognizers` lists what exists",
        faults,
    )


def _unknown_names(
    key: Key, names: list[str], protocols: Collection[str], datasets: Collection[str]
) -> list[str]:
    if KINDS.get(key) == "dataset":
        names = [name for name in names if name not in datasets]
    # Listing entry points of other packages is slow, so bench's own names are compared first.
    if key in KINDS and registry.builtin(KINDS[key]).keys() >= set(names):
        return []
    existing = _existing_names(key, protocols, datasets)
    return [name for name in names if name not in existing]


def _existing_names(
    key: Key, protocols: Collection[str], datasets: Collection[str]
) -> Collection[str]:
    if key in KINDS:
        own = datasets if KINDS[key] == "dataset" else ()
        return {*registry.names(KINDS[key]), *own}
    return {*PROTOCOLS, *protocols}


def _noun_phrase(key: Key, names: list[str]) -> str:
    *before, last = (f"'{name}'" for name in names)
    kind = KINDS.get(key, "protocol")
    noun = f"{kind}{'es' if kind == 'loss' else 's'}" if before else kind
    return f"the {noun} {', '.join(before)}{' and ' if before else ''}{last}"
