"""The learning rates of a model's optimizer: one, or several of a MultiOptimizer."""

from __future__ import annotations

from typing import Any


def single_optimizers(optimizer: Any) -> list[Any]:
    """Return the optimizers that update variables and have a rate each."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    return list(getattr(optimizer, "optimizers", None) or [optimizer])


def current_rate(optimizer: Any) -> float:
    """Return the learning rate of one optimizer as a Python float."""
    return float(optimizer.learning_rate)


def rates_for_logs(optimizer: Any) -> dict[str, float]:
    """Return `{"learning_rate": rate}`; several rates are named by their optimizers."""
    singles = single_optimizers(optimizer)
    if len(singles) == 1:
        return {"learning_rate": current_rate(singles[0])}
    return {f"learning_rate_{one.name}": current_rate(one) for one in singles}
