"""What makes two boards comparable: the protocol they score by and the samples they score on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.config.suite import RecognizerEntry
from bench.core.hashing import digest

if TYPE_CHECKING:
    from bench.config.suite import Entry, Suite


def board_identity(suite: Suite) -> dict[str, Any]:
    """Return the specs of the suite's protocol and test sets, as JSON values.

    Nothing that a row may choose for itself is in it: training data, recipes, inputs and seeds are
    what a board compares.
    """
    specs = {
        "protocol": suite.protocol.spec(),
        "tests": {
            column.name: column.test.spec() | {"fingerprint": column.test.fingerprint("test")}
            for column in suite.columns
        },
    }
    # Through sorted JSON, so that it equals what a board.json gives back, to the byte.
    return dict(json.loads(json.dumps(specs, sort_keys=True)))


def entry_identity(entry: Entry) -> str:
    """Return the hash of what bench.toml says of an entry.

    Versions and source files of components are not in it: a row whose code changed is the same row
    with other keys.
    """
    if isinstance(entry, RecognizerEntry):
        # Files by their names alone: where they are is not what the entry is.
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
