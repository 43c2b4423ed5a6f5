"""`count_flops`: multiplications and additions of a model, by formulas."""

from __future__ import annotations

import math
from typing import Any

from hornbeam.diagnosis.report import Report
from hornbeam.diagnosis.shapes import ShapeCall, shape_calls, symbols_of
from hornbeam.layers.attention.attention import Attention
from hornbeam.layers.attention.heads import HeadsAttention
from hornbeam.layers.convolutional.conv import Conv
from hornbeam.layers.convolutional.conv_transpose import ConvTranspose
from hornbeam.layers.convolutional.depthwise_conv import DepthwiseConv
from hornbeam.layers.convolutional.separable_conv import SeparableConv
from hornbeam.layers.core.dense import Dense
from hornbeam.layers.core.einsum_dense import EinsumDense
from hornbeam.layers.rnn.protocol import Cell
from hornbeam.layers.rnn.rnn import RNN


class Flops(Report):
    """The operations of a model; prints as a table.

    Attributes:
        total: multiplications and additions of one call.
        layers: `{path: operations}`, the calls of a layer together.
    """

    def __init__(self, name: str, layers: dict[str, int]):
        self.layers = layers
        self.total: int = sum(layers.values())
        rows = [
            (path, f"{n:,}", f"{n / max(1, self.total):.1%}")
            for path, n in layers.items()
            if n
        ]
        title = f"{self.total:,} operations in a call of model {name!r}"
        super().__init__(title, ("layer", "operations", "share"), rows)

    def __int__(self) -> int:
        return self.total


def count_flops(model: Any, inputs: Any = None, batch_size: int | None = None) -> Flops:
    """Count the multiplications and additions in one call of a model.

    A product with a matrix of m rows and n columns is 2 m n operations for each row of
    the inputs, a convolution twice the size of its kernel for each place of the
    output, attention twice the sizes of its two products. Biases, activations,
    normalisation and ops outside of layers are not counted. A training step does about
    three times as much: the backward pass is two products for each one.

    The counts are formulas of shapes: equal on every backend, and nothing is computed.

    Args:
        model: a built model.
        inputs: the shape of the inputs with their rows, such as `(32, 8)`, a list of
            shapes, or arrays. Default: what the graph of the model says.
        batch_size: the number of rows, where `inputs` is not given. Default: 1.

    Returns:
        `Flops`: `total`, `layers`, and a table that prints itself.

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(10)])
    >>> keras.utils.count_flops(model, batch_size=3).total
    6000
    """
    symbols = symbols_of(model, inputs, batch_size, "count_flops()")
    counts: dict[str, int] = {}
    for call in shape_calls(model, symbols, everything=True):
        path = call.layer.path
        counts[path] = counts.get(path, 0) + operations(call)
    return Flops(model.name, counts)


def operations(call: ShapeCall) -> int:
    """Return the operations of one call of a layer, without those of layers inside."""
    for cls, formula in _FORMULAS:
        if isinstance(call.layer, cls):
            return formula(call)
    return 0


def _size(variable):
    return math.prod(variable.shape)


def _places(shape, channels_first=False):
    """The rows and places of a tensor, without its channels."""
    return math.prod(shape[:1] + shape[2:] if channels_first else shape[:-1])


def _is_channels_first(layer):
    return getattr(layer, "data_format", None) == "channels_first"


def _dense(call):
    return 2 * _size(call.layer.kernel) * _places(call.inputs[0][0])


def _einsum(call):
    operands, _ = call.layer.equation.replace(" ", "").split("->")
    letters, of_kernel = operands.split(",")
    shape = call.inputs[0][0]
    missing = len(shape) - len(letters.replace("...", ""))
    letters = letters.replace("...", "ABCDEFGH"[:missing])
    sizes = dict(zip(letters, shape, strict=True))
    sizes |= dict(zip(of_kernel, call.layer.kernel.shape, strict=True))
    return 2 * math.prod(sizes.values())


def _convolution(call):
    places = _places(call.outputs[0][0], _is_channels_first(call.layer))
    return 2 * _size(call.layer.kernel) * places


def _transposed(call):
    places = _places(call.inputs[0][0], _is_channels_first(call.layer))
    return 2 * _size(call.layer.kernel) * places


def _separable(call):
    places = _places(call.outputs[0][0], _is_channels_first(call.layer))
    kernels = [w for w in call.layer._own_weights() if len(w.shape) > 1]
    return 2 * sum(map(_size, kernels)) * places


def _recurrent(call):
    """The products of the cells, at every step and, for convolutions, place."""
    layer = call.layer
    cells = [
        x for x in layer._flatten_layers(include_self=False) if isinstance(x, Cell)
    ]
    # The bias of a GRU has two rows.
    kernels = [w for x in cells for w in x._own_weights() if "kernel" in w.name]
    rows, steps = call.inputs[0][0][:2]
    places = 1
    if any(len(w.shape) > 2 for w in kernels):
        shape = call.outputs[0][0]
        inner = shape[2:] if layer.return_sequences else shape[1:]
        places = math.prod(inner[1:] if _is_channels_first(layer) else inner[:-1])
    return 2 * sum(map(_size, kernels)) * rows * steps * places


def _heads(call):
    """Queries with keys, and weights with values; projections are layers inside."""
    query, value = call.inputs[0][0], call.inputs[min(1, len(call.inputs) - 1)][0]
    layer = call.layer
    pairs = query[0] * math.prod(query[1:-1]) * math.prod(value[1:-1])
    return 2 * pairs * layer._query_heads * (layer._key_width + layer._value_width)


def _attention(call):
    query, value = call.inputs[0][0], call.inputs[1][0]
    pairs = query[0] * query[1] * value[1]
    return 2 * pairs * (query[-1] + value[-1])


_FORMULAS: Any = (
    (Dense, _dense),
    (EinsumDense, _einsum),
    (SeparableConv, _separable),
    (DepthwiseConv, _convolution),
    (ConvTranspose, _transposed),
    (Conv, _convolution),
    (RNN, _recurrent),
    (HeadsAttention, _heads),
    (Attention, _attention),
)
