"""What makes two boards comparable: the protocol they score by and the data they score on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench.core.components import short_labels

if TYPE_CHECKING:
    from bench.config.suite import Suite


def of(suite: Suite) -> dict[str, Any]:
    """Return the specs of the suite's protocol and datasets, fingerprints included, as JSON values.

    Models, losses, seeds and recipe are no part of it: they are what a board compares.
    """
    # By the bare name where it is unique, so that a moved parameter is a difference of one value.
    names = short_labels(dataset.label for dataset in suite.datasets)
    specs = {
        "protocol": suite.protocol.spec(),
        "datasets": {
            names[dataset.label]: dataset.spec() | {"fingerprint": dataset.fingerprint()}
            for dataset in suite.datasets
        },
    }
    # Through sorted JSON, so that it equals what a board.json gives back, to the byte.
    return dict(json.loads(json.dumps(specs, sort_keys=True)))
