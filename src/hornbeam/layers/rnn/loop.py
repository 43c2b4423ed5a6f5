"""The one loop over time that every recurrent layer uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core import tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hornbeam.typing import Tensor


class Loop:
    """Runs a step along axis 0, with the mask and the unrolling of a call.

    Where the mask is False, the states stay and the output is that of the step before.

    Args:
        mask: booleans `(steps, batch)`, or None.
        unroll: whether a compiled program repeats the step instead of looping.
    """

    def __init__(self, mask: Tensor = None, unroll: bool = False) -> None:
        self.mask = mask
        self.unroll = unroll

    def __call__(
        self,
        step: Callable[..., Any],
        inputs: Tensor,
        states: Any,
        before: Any = None,
    ) -> tuple[Any, Any]:
        """Return `(outputs, last states)`.

        Args:
            step: `(input, states) -> (output, new states)`.
            inputs: a tensor `(steps, batch, ...)`.
            states: a list of tensors `(batch, ...)`, which may be nested.
            before: the output before the first step. Default: the first state.
        """

        def body(carry, item):
            (states, previous), (x, valid) = carry, item
            output, new = step(x, states)
            new = _like(states, new)
            if valid is None:
                return (new, None), output
            output = _where(valid, output, previous)
            new = tree.map_structure(lambda n, s: _where(valid, n, s), new, states)
            return (new, output), output

        if self.mask is None:
            before = None
        elif before is None:
            before = tree.flatten(states)[0]
        unroll = True if self.unroll else 1
        (states, _), outputs = ops.scan(
            body, (states, before), (inputs, self.mask), unroll=unroll
        )
        return outputs, states


def _like(states, new):
    """Return the new states in the nest and with the dtypes of the old ones."""
    old, leaves = tree.flatten(states), tree.flatten(new)
    if len(leaves) != len(old):
        raise ValueError(
            "The `call()` of a recurrent cell must return as many states as it was "
            f"given. Expected {len(old)}. Received: {len(leaves)}"
        )
    leaves = [
        n if n.dtype == s.dtype else ops.cast(n, s.dtype)
        for n, s in zip(leaves, old, strict=True)
    ]
    return tree.pack_like(states, leaves)


def _where(valid, new, old):
    """Choose for each row of the batch."""
    return ops.where(ops.reshape(valid, (-1, *[1] * (len(new.shape) - 1))), new, old)
