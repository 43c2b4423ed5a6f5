"""The loss at rising learning rates, as curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hornbeam.diagnosis.learning_rate import LearningRates
from hornbeam.typing import PathLike
from hornbeam.visualization.checks import of_kind
from hornbeam.visualization.panels import panels, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOSS, _SUGGESTION = "#0072b2", "#d55e00"
# The first losses tell how high the picture has to be: later ones may diverge.
_FIRST = 10


def plot_learning_rates(
    rates: LearningRates, path: PathLike | None = None, ax: Any = None
) -> Axes:
    """Draw what `model.find_lr` found: the loss at rising learning rates.

    Needs matplotlib (`pip install 'hornbeam[plot]'`).

    Args:
        rates: what `find_lr` returned.
        path: where the picture is written. Default: it is not.
        ax: matplotlib's axes to draw on. Default: new ones.

    Returns:
        The axes.

    >>> import hornbeam as keras, numpy as np
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.random.default_rng(0).normal(size=(64, 2))
    >>> rates = model.find_lr(x, x.sum(1), low=1e-3, high=100.0)
    >>> keras.visualization.plot_learning_rates(rates).get_xlabel()
    'learning rate'
    """
    owner = "plot_learning_rates"
    of_kind(owner, "rates", rates, LearningRates, "what `model.find_lr` returned")
    axes = panels(owner, ax, (6, 4), path).item()
    axes.plot(rates.rates, rates.losses, alpha=0.3, label="loss", color=_LOSS)
    axes.plot(rates.rates, rates.smoothed, label="smoothed", color=_LOSS)
    if rates.suggestion is not None:
        label = f"suggestion: {rates.suggestion:.2g}"
        axes.axvline(rates.suggestion, label=label, color=_SUGGESTION, linestyle="--")
    axes.set_xscale("log")
    seen = [x for x in rates.losses if math.isfinite(x)]
    axes.set_ylim(min(seen) - 0.05 * abs(min(seen)), 1.5 * max(seen[:_FIRST]))
    axes.set(xlabel="learning rate", ylabel="loss")
    axes.grid(alpha=0.3)
    axes.legend()
    return written(axes, path)
