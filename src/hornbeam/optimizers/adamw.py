"""AdamW: Adam whose weight decay does not go through the moments."""

from __future__ import annotations

from typing import Any, Unpack

from hornbeam.optimizers.adam import Adam
from hornbeam.optimizers.optimizer import LearningRate
from hornbeam.optimizers.shared_arguments import (
    SharedArgumentsButDecay,
    takes_shared_arguments,
)


class AdamW(Adam):
    """Adam with decoupled weight decay.

    With rate a and decay c, each update is `w <- w - a c w` and then that of `Adam`.

    Variant: the decay is multiplied by the rate, as in Keras and PyTorch, where the
    paper multiplies it by the schedule's multiplier alone.

    Args:
        learning_rate: default 0.001.
        weight_decay: c, default 0.004.
        beta_1: the decay of the mean of gradients, default 0.9.
        beta_2: the decay of the mean of squares, default 0.999.
        epsilon: keeps the quotient finite, default 1e-7.
        amsgrad: whether to use AMSGrad's maximum (default False).
        **kwargs: the other arguments are those of `Optimizer`.

    Reference: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019
    (https://arxiv.org/abs/1711.05101).

    >>> import hornbeam as keras
    >>> variable = keras.Variable([1.0])
    >>> optimizer = keras.optimizers.AdamW(learning_rate=0.1, weight_decay=0.5)
    >>> optimizer.apply([keras.ops.array([0.0])], [variable])
    >>> round(float(variable[0]), 4)
    0.95
    """

    @takes_shared_arguments
    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        *args: Any,
        **kwargs: Unpack[SharedArgumentsButDecay],
    ):
        if weight_decay is None:
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: weight_decay=None. "
                "AdamW always decays; use `Adam` to train without decay."
            )
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay,
            *args,
            **kwargs,
        )
