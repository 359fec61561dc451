"""The contract kit of each kind of component: the checks that every component has to pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from bench.core.components import (
    Augmentation,
    Component,
    Dataset,
    Decoder,
    Loss,
    Model,
    Recognizer,
)
from bench.evaluation.metrics import Metric
from bench.testing.augmentation_kit import AugmentationKit
from bench.testing.component_kit import ComponentKit
from bench.testing.contract import CheckResult, Kit
from bench.testing.dataset_kit import DatasetKit
from bench.testing.decoder_kit import DecoderKit
from bench.testing.global_state import preserved_state
from bench.testing.loss_kit import LossKit
from bench.testing.metric_kit import MetricKit
from bench.testing.model_kit import ModelKit
from bench.testing.recognizer_kit import RecognizerKit

_KITS: dict[type, Callable[[Any], Kit]] = {
    Loss: LossKit,
    Model: ModelKit,
    Decoder: DecoderKit,
    Dataset: DatasetKit,
    Recognizer: RecognizerKit,
    Augmentation: AugmentationKit,
    Metric: MetricKit,
}


def kit_of(component: Component | Metric) -> Kit:
    """Return the kit with the contract checks of a component."""
    return next(kit for kind, kit in _KITS.items() if isinstance(component, kind))(component)


def check_component(component: Component | Metric) -> list[CheckResult]:
    """Check a component of any kind; return the result of each check.

    Raises:
        BenchError: It cannot be used here at all: its data are not prepared, a package or a file is
            missing.
    """
    kit = kit_of(component)
    with preserved_state():
        # Networks of the checks are small, and only wait for a second thread.
        torch.set_num_threads(1)
        if isinstance(kit, ComponentKit):
            kit.require_usable()
        return kit.run()
