"""The rules: each reads the facts and gives findings. Thresholds say where from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hornbeam.diagnosis.findings import Finding
from hornbeam.diagnosis.rules import (
    data_rules,
    label_rules,
    layer_rules,
    loss_rules,
    training_rules,
)

RULES: tuple[Callable[[Any], Iterable[Finding]], ...] = (
    *data_rules.RULES,
    *label_rules.RULES,
    *loss_rules.RULES,
    *layer_rules.RULES,
    *training_rules.RULES,
)
