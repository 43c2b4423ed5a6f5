"""PyTorch: recurrent networks as one call of the engine's own kernels."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from .recording import is_traced

_KERNELS: dict[str, Any] = {
    "lstm": torch._VF.lstm,
    "gru": torch._VF.gru,
    "tanh": torch._VF.rnn_tanh,
    "relu": torch._VF.rnn_relu,
}


def recurrence(
    kind: str,
    sequences: Any,
    states: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    mask: Any = None,
) -> Any:
    """`(outputs, last states)` of a recurrent network; here always."""
    if kind == "gru":
        kernel, recurrent_kernel = _reset_first(kernel), _reset_first(recurrent_kernel)
        bias = _reset_first(bias)
    weights = [kernel.mT, recurrent_kernel.mT]
    if bias is not None:
        both = bias if kind == "gru" else (bias, torch.zeros_like(bias))
        weights += list(both)
    first = [s.unsqueeze(0) for s in states]
    start = first if kind == "lstm" else first[0]
    # Biases, layers, dropout, whether gradients may follow, directions.
    options = (bias is not None, 1, 0.0, torch.is_grad_enabled(), False)
    if mask is None:
        with _for_compilers():
            outputs, *last = _KERNELS[kind](sequences, start, weights, *options, False)
        return outputs, [s.squeeze(0) for s in last]
    return _masked(kind, sequences, states, start, weights, options, mask)


@contextlib.contextmanager
def _for_compilers() -> Iterator[None]:
    """A block without oneDNN's kernel where a compiler is to run what is recorded.

    Compiled steps run without gradients; then it keeps nothing for its own gradient.
    """
    was = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(was and not is_traced())
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(was)


def _masked(kind, sequences, states, start, weights, options, mask):
    """Run over the valid steps of each row alone, moved to the front."""
    steps = len(mask)
    seen = mask.cumsum(0)
    lengths = seen[-1]
    order = torch.argsort(mask, dim=0, descending=True, stable=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.take_along_dim(sequences, order.unsqueeze(-1), 0),
        lengths.clamp(min=1).cpu(),
        enforce_sorted=False,
    )
    rows = packed.sorted_indices
    start = [s[:, rows] for s in start] if kind == "lstm" else start[:, rows]
    data, *last = _KERNELS[kind](
        packed.data, packed.batch_sizes, start, weights, *options
    )
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(
        packed._replace(data=data), total_length=steps
    )
    # Each step has the output of the last valid step up to it, at first the state.
    outputs = torch.take_along_dim(outputs, (seen - 1).clamp(min=0).unsqueeze(-1), 0)
    outputs = torch.where((seen > 0).unsqueeze(-1), outputs, states[0])
    some = (lengths > 0).unsqueeze(-1)
    last = [s.squeeze(0)[packed.unsorted_indices] for s in last]
    return outputs, [
        torch.where(some, new, old) for new, old in zip(last, states, strict=True)
    ]


def _reset_first(weight: Any) -> Any:
    """Gates in torch's order: r, z, g."""
    if weight is None:
        return None
    z, r, g = weight.chunk(3, -1)
    return torch.cat([r, z, g], -1)
