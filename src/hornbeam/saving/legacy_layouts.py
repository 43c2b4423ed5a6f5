"""Arrays of layers as older versions stored them, in the layout of today.

Keras 1 kept the gates of recurrent layers apart and had kernels of convolutions in two
orders; Theano flipped kernels; the layers for cuDNN had two biases and transposed
kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hornbeam import layers

# The order of the gates in files of Keras 1, and in the arrays of today.
_LSTM_GATES, _LSTM_ORDER = "icfo", "ifco"
_GRU_GATES, _GRU_ORDER = "zrh", "zrh"


class Origin(NamedTuple):
    """What wrote a file."""

    keras_version: str
    backend: str

    @property
    def is_keras_1(self) -> bool:
        """Whether it was Keras 1."""
        return self.keras_version.split(".")[0] == "1"


def converted(
    layer: layers.Layer, arrays: list[np.ndarray], origin: Origin
) -> list[np.ndarray]:
    """Return the arrays of a layer's weights in the layout of today.

    Args:
        layer: the layer.
        arrays: its arrays in the file.
        origin: the version and the backend that wrote the file.
    """
    if isinstance(layer, layers.TimeDistributed):
        return converted(layer.layer, arrays, origin)
    if isinstance(layer, layers.Bidirectional):
        half = len(arrays) // 2
        parts = (
            (layer.forward_layer, arrays[:half]),
            (layer.backward_layer, arrays[half:]),
        )
        return [x for part, mine in parts for x in converted(part, mine, origin)]
    for kinds, convert in _CONVERSIONS:
        if type(layer).__name__ in kinds and arrays:
            return convert(layer, [np.asarray(a) for a in arrays], origin)
    return arrays


def _lstm(layer, arrays, origin):
    if len(arrays) == 12:
        return _joined_gates(arrays, _LSTM_GATES, _LSTM_ORDER)
    if len(arrays) == 3 and arrays[2].size == 8 * layer.units:
        kernel, recurrent_kernel, bias = arrays
        return [*_from_cudnn(kernel, recurrent_kernel, 4), bias.reshape(2, -1).sum(0)]
    return arrays


def _gru(layer, arrays, origin):
    if len(arrays) == 9:
        return _joined_gates(arrays, _GRU_GATES, _GRU_ORDER)
    if len(arrays) == 3 and arrays[2].shape == (6 * layer.units,):
        kernel, recurrent_kernel, bias = arrays
        return [*_from_cudnn(kernel, recurrent_kernel, 3), bias.reshape(2, -1)]
    return arrays


def _joined_gates(arrays, gates, order):
    """Return kernel, recurrent kernel and bias from three arrays per gate."""
    by_gate = {gate: arrays[3 * i : 3 * i + 3] for i, gate in enumerate(gates)}
    return [
        np.concatenate([by_gate[gate][i] for gate in order], axis=-1) for i in range(3)
    ]


def _from_cudnn(kernel, recurrent_kernel, gates):
    """Return the kernels of a layer for cuDNN, which stores them transposed."""
    inputs = [k.T.reshape(k.shape, order="F") for k in np.split(kernel, gates, axis=1)]
    recurrent = [k.T for k in np.split(recurrent_kernel, gates, axis=1)]
    return np.concatenate(inputs, axis=1), np.concatenate(recurrent, axis=1)


def _conv(layer, arrays, origin):
    kernel = arrays[0]
    if origin.is_keras_1:
        kernel = _keras_1_kernel(layer, kernel)
    if origin.backend == "theano":
        kernel = np.flip(kernel, tuple(range(kernel.ndim - 2)))
    return [kernel, *arrays[1:]]


def _keras_1_kernel(layer, kernel):
    expected = tuple(layer.kernel.shape)
    if kernel.ndim == len(expected) + 1:
        # One-dimensional convolutions were computed as two-dimensional ones.
        return (
            kernel[:, 0] if kernel.shape[1] == 1 else kernel[:, :, 0].transpose(2, 1, 0)
        )
    if layer.data_format == "channels_first":
        spatial = tuple(range(2, kernel.ndim))
        is_transposed = "Transpose" in type(layer).__name__
        return kernel.transpose(*spatial, *((0, 1) if is_transposed else (1, 0)))
    if "Transpose" in type(layer).__name__:
        return kernel.swapaxes(-1, -2)
    return kernel


def _flipped(layer, arrays, origin):
    """Return the kernels of several parts, flipped where Theano wrote them."""
    if origin.backend != "theano":
        return arrays
    return [np.flip(a, (0, 1)) if a.ndim > 2 else a for a in arrays]


_CONVERSIONS = (
    (("LSTM",), _lstm),
    (("GRU",), _gru),
    (
        (
            *("Conv1D", "Conv2D", "Conv3D"),
            *("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        ),
        _conv,
    ),
    (("SeparableConv2D", "DepthwiseConv2D", "ConvLSTM2D"), _flipped),
)
