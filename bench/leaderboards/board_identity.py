"""Identities of boards and entries: boards with the same protocol and test sets compare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.config.suite import RecognizerEntry
from bench.core.hashing import digest

if TYPE_CHECKING:
    from bench.config.suite import Entry, Suite


def board_identity(suite: Suite) -> dict[str, Any]:
    """Return the specs of the suite's protocol and test sets, as JSON values.

    Training data, recipes, inputs and seeds are left out: these are what a board compares.
    """
    specs = {
        "protocol": suite.protocol.spec(),
        "tests": {
            column.name: column.test.spec() | {"fingerprint": column.test.fingerprint("test")}
            for column in suite.columns
        },
    }
    # Encoded and decoded as JSON, so that it equals the identity read from a board.json.
    return dict(json.loads(json.dumps(specs, sort_keys=True)))


def entry_identity(entry: Entry) -> str:
    """Return the hash of an entry in bench.toml.

    Versions and source files of components are left out, so a row stays the same row when its code
    changes; only the keys of its tasks change.
    """
    if isinstance(entry, RecognizerEntry):
        # The label has file names without folders, so moving the files does not change the row.
        return digest({"recognizer": entry.recognizer.label, "label": entry.label})
    return digest(
        {
            "model": entry.model.label,
            "loss": entry.loss.label,
            "decoder": entry.decoder.label,
            "input": entry.input.spec(),
            "recipe": entry.recipe.changed(),
            "train": [data.label for data in entry.train],
        }
    )
