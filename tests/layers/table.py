"""One row for each layer: how to make it, what to feed it, and what comes out."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

import hornbeam as keras
from tests.layers import oracles as o
from tests.layers import recurrent_oracles as r

layers = keras.layers


@dataclasses.dataclass
class Row:
    """`oracle(*inputs, *weights)` computes in float64 what the layer returns.

    Attributes:
        layer: the class.
        kwargs: its arguments; a callable gives them anew for each use (inner layers).
        shapes: the shape of the input, or a list of shapes for a list of inputs.
        weights: how many trainable and non-trainable weights it has.
        integers: inputs are integers below this.
        training: the oracle is of a call with `training=True`; it differs else.
        mask: whether masks are passed on (True), made (a function), used
            up (None) or not known (False).
        mixes: rows influence each other by the layer's nature.
        smooth: gradients are compared; False where the output has jumps.
        separate: the inputs of the list are arguments of their own.
    """

    layer: Any
    kwargs: Any
    shapes: Any
    oracle: Callable
    weights: tuple = (0, 0)
    integers: int = 0
    training: bool = False
    mask: Any = False
    mixes: bool = False
    smooth: bool = True
    call: dict = dataclasses.field(default_factory=dict)
    label: str = ""
    separate: bool = False

    @property
    def name(self):
        return self.layer.__name__ + (f"-{self.label}" if self.label else "")

    def make(self, **extra):
        kwargs = self.kwargs() if callable(self.kwargs) else self.kwargs
        return self.layer(**{**kwargs, **extra})

    def given(self, x):
        """Return the arguments of a call of inputs `x`."""
        return tuple(x) if self.separate else (x,)

    def inputs(self, seed=0, batch=None):
        """Return the inputs as float64 or int32 arrays, a list of them or one."""
        rng = np.random.default_rng(seed)

        def one(shape):
            shape = shape if batch is None else (batch, *shape[1:])
            if self.integers:
                return rng.integers(0, self.integers, shape).astype("int32")
            # Distinct and away from 0, so that no kink lies near.
            values = rng.permutation(np.prod(shape, dtype=int)) + rng.uniform(0.3, 0.7)
            return (values / values.size * 4 - 2).reshape(shape)

        if isinstance(self.shapes, list):
            return [one(shape) for shape in self.shapes]
        return one(self.shapes)


def batch_normalized(x, gamma, beta, mean, variance):
    return o.normalized(x, tuple(range(x.ndim - 1)), 1e-3) * gamma + beta


def scaled(x, gamma, beta, mean, variance):
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


def renormalized(x, gamma, beta, m, v, stddev, renorm_mean, renorm_stddev):
    s = np.sqrt(x.var(0) + 1e-3)
    r = s / renorm_stddev
    d = (x.mean(0) - renorm_mean) / renorm_stddev
    return ((x - x.mean(0)) / s * r + d) * gamma + beta


def spectral(x, kernel, u, bias):
    v = u @ kernel.T
    v /= np.linalg.norm(v)
    u = v @ kernel
    u /= np.linalg.norm(u)
    return x @ (kernel / (v @ kernel @ u.T)) + bias


def cosine(x, y):
    x = x / np.linalg.norm(x, axis=2, keepdims=True)
    y = y / np.linalg.norm(y, axis=2, keepdims=True)
    return np.einsum("abc,adc->abd", x, y)


LAST, FIRST = {"data_format": "channels_last"}, {"data_format": "channels_first"}
SEQUENCE, IMAGE, VOLUME = (3, 7, 4), (2, 6, 5, 4), (2, 4, 5, 4, 2)
IMAGE_FIRST = (2, 4, 6, 5)


def square(x):
    return keras.ops.square(x)


CORE = [
    Row(layers.Dense, {"units": 3}, (4, 5), o.linear, (2, 0), mask=True),
    Row(
        layers.Dense,
        {"units": 3, "activation": "tanh", "use_bias": False},
        (2, 3, 5),
        lambda x, k: np.tanh(x @ k),
        (1, 0),
        mask=True,
        label="rank3",
    ),
    Row(
        layers.EinsumDense,
        {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "bias_axes": "e"},
        (2, 3, 4),
        lambda x, k, b: np.einsum("abc,cde->abde", x, k) + b,
        (2, 0),
    ),
    Row(
        layers.EinsumDense,
        {"equation": "...b,bc->...c", "output_shape": 3, "activation": "sigmoid"},
        (2, 3, 4),
        lambda x, k: special.expit(x @ k),
        (1, 0),
        label="ellipsis",
    ),
    Row(
        layers.Embedding,
        {"input_dim": 6, "output_dim": 3},
        (4, 5),
        lambda x, table: table[x],
        (1, 0),
        integers=6,
    ),
    Row(
        layers.Embedding,
        {"input_dim": 6, "output_dim": 3, "mask_zero": True},
        (4, 5),
        lambda x, table: table[x],
        (1, 0),
        integers=6,
        mask=lambda x: x != 0,
        label="mask_zero",
    ),
    Row(
        layers.ReversibleEmbedding,
        {"input_dim": 6, "output_dim": 3, "logit_soft_cap": 2.0},
        (4, 5, 3),
        lambda x, table: 2 * np.tanh(x @ table.T / 2),
        (1, 0),
        call={"reverse": True},
    ),
    Row(layers.Identity, {}, (2, 3), lambda x: x, mask=True),
    Row(layers.Lambda, {"function": square}, (2, 3), lambda x: x**2),
    Row(
        layers.Masking,
        {"mask_value": 1.0},
        (2, 3, 2),
        lambda x: x,
        mask=lambda x: np.any(x != 1, -1),
    ),
]

ACTIVATIONS = [
    Row(
        layers.Activation,
        {"activation": "tanh"},
        (2, 3, 4),
        lambda x: np.tanh(x),
        mask=True,
    ),
    Row(
        layers.ReLU,
        {"max_value": 1.0, "negative_slope": 0.2, "threshold": 0.25},
        (3, 7),
        lambda x: np.where(x >= 0.25, np.minimum(x, 1.0), 0.2 * (x - 0.25)),
        mask=True,
        smooth=False,
    ),
    Row(
        layers.LeakyReLU,
        {"negative_slope": 0.2},
        (3, 7),
        lambda x: np.where(x > 0, x, 0.2 * x),
        mask=True,
    ),
    Row(
        layers.PReLU,
        {"shared_axes": [1]},
        (3, 4, 5),
        lambda x, alpha: np.where(x > 0, x, alpha * x),
        (1, 0),
        mask=True,
    ),
    Row(
        layers.ELU,
        {"alpha": 0.7},
        (3, 7),
        lambda x: np.where(x > 0, x, 0.7 * np.expm1(x)),
        mask=True,
    ),
    Row(layers.Softmax, {}, (3, 4), o.softmax, mask=True),
    Row(
        layers.Softmax,
        {"axis": (1, 2)},
        (3, 4, 5),
        lambda x: o.softmax(x, (1, 2)),
        mask=True,
        label="axes",
    ),
]

NORMALIZATION = [
    Row(
        layers.BatchNormalization,
        {},
        (5, 3),
        batch_normalized,
        (2, 2),
        training=True,
        mask=True,
        mixes=True,
    ),
    Row(
        layers.BatchNormalization,
        {},
        (5, 4, 3),
        scaled,
        (2, 2),
        mask=True,
        label="inference",
    ),
    Row(
        layers.BatchNormalization,
        {"axis": 1},
        (5, 3, 4),
        lambda x, *w: np.moveaxis(batch_normalized(np.moveaxis(x, 1, -1), *w), -1, 1),
        (2, 2),
        training=True,
        mask=True,
        mixes=True,
        label="axis1",
    ),
    Row(
        layers.BatchNormalization,
        {"renorm": True},
        (5, 3),
        renormalized,
        (2, 5),
        training=True,
        mask=True,
        mixes=True,
        smooth=False,
        label="renorm",
    ),
    Row(
        layers.LayerNormalization,
        {"axis": (1, 2)},
        (3, 4, 5),
        lambda x, gamma, beta: o.normalized(x, (1, 2), 1e-3) * gamma + beta,
        (2, 0),
        mask=True,
    ),
    Row(
        layers.GroupNormalization,
        {"groups": 2},
        (3, 5, 4),
        lambda x, gamma, beta: o.group_normalized(x, gamma, beta, 2),
        (2, 0),
        mask=True,
    ),
    Row(
        layers.GroupNormalization,
        {"groups": 2, "axis": 1},
        (3, 4, 5),
        lambda x, gamma, beta: np.moveaxis(
            o.group_normalized(np.moveaxis(x, 1, -1), gamma, beta, 2), -1, 1
        ),
        (2, 0),
        mask=True,
        label="axis1",
    ),
    Row(
        layers.UnitNormalization,
        {"axis": [1, 2]},
        (3, 4, 5),
        lambda x: x / np.sqrt((x**2).sum((1, 2), keepdims=True)),
        mask=True,
    ),
    Row(
        layers.RMSNormalization,
        {"epsilon": 0.1},
        (3, 4),
        lambda x, g: x / np.sqrt((x**2).mean(-1, keepdims=True) + 0.1) * g,
        (1, 0),
        mask=True,
    ),
    Row(
        layers.SpectralNormalization,
        lambda: {"layer": layers.Dense(3)},
        (4, 5),
        spectral,
        (2, 1),
        training=True,
        smooth=False,
    ),
]

TWO = [(3, 4, 2), (3, 4, 2)]
MERGING = [
    Row(
        layers.Add,
        {},
        [(3, 4, 2), (3, 2), (3, 1, 2)],
        lambda x, y, z: x + y[:, None] + z,
    ),
    Row(layers.Subtract, {}, TWO, np.subtract),
    Row(layers.Multiply, {}, [(3, 4, 2), (3, 1, 2)], np.multiply),
    Row(layers.Average, {}, [*TWO, TWO[0]], lambda x, y, z: (x + y + z) / 3),
    Row(layers.Maximum, {}, TWO, np.maximum),
    Row(layers.Minimum, {}, TWO, np.minimum),
    Row(
        layers.Concatenate,
        {"axis": 1},
        [(3, 4, 2), (3, 5, 2)],
        lambda x, y: np.concatenate([x, y], 1),
    ),
    Row(
        layers.Dot,
        {"axes": (1, 2)},
        [(3, 4, 2), (3, 5, 4)],
        lambda x, y: np.einsum("abc,adb->acd", x, y),
    ),
    Row(layers.Dot, {"axes": -1, "normalize": True}, TWO, cosine, label="cosine"),
    Row(
        layers.Dot,
        {"axes": 1},
        [(3, 4), (3, 4)],
        lambda x, y: (x * y).sum(1, keepdims=True),
        label="vectors",
    ),
]

RESHAPING = [
    Row(layers.Flatten, {}, (3, 4, 2), lambda x: x.reshape(3, 8)),
    Row(
        layers.Flatten,
        FIRST,
        (3, 4, 2),
        lambda x: np.moveaxis(x, 1, -1).reshape(3, 8),
        label="channels_first",
    ),
    Row(
        layers.Reshape, {"target_shape": (-1, 2)}, (3, 8), lambda x: x.reshape(3, 4, 2)
    ),
    Row(layers.Permute, {"dims": (2, 1)}, (3, 4, 2), lambda x: x.transpose(0, 2, 1)),
    Row(layers.RepeatVector, {"n": 3}, (2, 4), lambda x: np.stack([x] * 3, 1)),
    Row(layers.Cropping1D, {"cropping": (1, 2)}, (2, 6, 3), lambda x: x[:, 1:-2]),
    Row(
        layers.Cropping2D,
        {"cropping": ((1, 0), (2, 1)), **LAST},
        IMAGE,
        lambda x: x[:, 1:, 2:-1],
    ),
    Row(
        layers.Cropping3D,
        {"cropping": 1, **FIRST},
        (2, 2, 4, 5, 3),
        lambda x: x[:, :, 1:-1, 1:-1, 1:-1],
    ),
    Row(
        layers.ZeroPadding1D,
        {"padding": (1, 2), **LAST},
        (2, 4, 3),
        lambda x: np.pad(x, [(0, 0), (1, 2), (0, 0)]),
    ),
    Row(
        layers.ZeroPadding2D,
        {"padding": (1, 2), **FIRST},
        (2, 2, 3, 4),
        lambda x: np.pad(x, [(0, 0), (0, 0), (1, 1), (2, 2)]),
    ),
    Row(
        layers.ZeroPadding3D,
        {"padding": ((1, 0), (0, 2), (1, 1)), **LAST},
        (2, 2, 3, 2, 2),
        lambda x: np.pad(x, [(0, 0), (1, 0), (0, 2), (1, 1), (0, 0)]),
    ),
    Row(layers.UpSampling1D, {"size": 3}, (2, 3, 2), lambda x: o.up(x, (3,))),
    Row(
        layers.UpSampling2D, {"size": (2, 3), **LAST}, IMAGE, lambda x: o.up(x, (2, 3))
    ),
    Row(
        layers.UpSampling3D,
        {"size": 2, **FIRST},
        (2, 2, 2, 3, 2),
        o.channels_first(lambda x: o.up(x, (2, 2, 2))),
    ),
]

TIME_DISTRIBUTED = [
    Row(
        layers.TimeDistributed,
        lambda: {"layer": layers.Dense(2)},
        (2, 3, 4),
        o.linear,
        (2, 0),
        mask=True,
    )
]

RECURRENT = [
    Row(
        layers.SimpleRNN,
        {"units": 3},
        (2, 4, 5),
        r.layer(r.simple, (3,)),
        (3, 0),
        mask=None,
    ),
    Row(
        layers.LSTM,
        {"units": 3, "return_sequences": True},
        (2, 4, 5),
        r.layer(r.lstm, (3,), 2, sequences=True),
        (3, 0),
        mask=True,
    ),
    Row(
        layers.LSTM,
        {"units": 3, "use_bias": False, "unroll": True},
        (2, 4, 5),
        r.layer(r.lstm, (3,), 2),
        (2, 0),
        mask=None,
        label="unrolled",
    ),
    Row(layers.GRU, {"units": 3}, (2, 4, 5), r.layer(r.gru, (3,)), (3, 0), mask=None),
    Row(
        layers.GRU,
        {"units": 3, "reset_after": False},
        (2, 4, 5),
        r.layer(r.gru_reset_before, (3,)),
        (3, 0),
        mask=None,
        label="reset_before",
    ),
    Row(
        layers.RNN,
        lambda: {"cell": layers.LSTMCell(3), "go_backwards": True},
        (2, 4, 5),
        lambda x, *w: r.layer(r.lstm, (3,), 2)(x[:, ::-1], *w),
        (3, 0),
        mask=None,
    ),
    Row(
        layers.Bidirectional,
        lambda: {"layer": layers.GRU(3, return_sequences=True)},
        (2, 4, 5),
        r.bidirectional(r.gru, 3),
        (6, 0),
        mask=True,
    ),
    Row(
        layers.ConvLSTM1D,
        {"filters": 2, "kernel_size": 3, "dilation_rate": 2, **LAST},
        (2, 3, 7, 2),
        r.layer(r.conv_lstm(dilation=2), (3, 2), 2),
        (3, 0),
        mask=None,
    ),
    Row(
        layers.ConvLSTM2D,
        {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same", **FIRST},
        (2, 3, 2, 5, 4),
        lambda x, *w: np.moveaxis(
            r.layer(r.conv_lstm(stride=2, padding="same"), (3, 2, 2), 2)(
                np.moveaxis(x, 2, -1), *w
            ),
            -1,
            1,
        ),
        (3, 0),
        mask=None,
    ),
    Row(
        layers.ConvLSTM3D,
        {"filters": 1, "kernel_size": 2, "return_sequences": True, **LAST},
        (1, 2, 3, 3, 2, 1),
        r.layer(r.conv_lstm(), (2, 2, 1, 1), 2, sequences=True),
        (3, 0),
        mask=True,
    ),
]


def power_of_frames(x, real, imaginary):
    """Windows of 4 samples, 2 apart, of (batch, samples, channels)."""
    frames = np.stack([x[:, s : s + 4] for s in range(0, x.shape[1] - 3, 2)], axis=1)
    power = sum(
        np.einsum("btlc,lf->btcf", frames, kernel[:, 0]) ** 2
        for kernel in (real, imaginary)
    )
    return (power * [1, 2, 1]).reshape(*power.shape[:2], -1)


PREPROCESSING = [
    Row(
        layers.STFTSpectrogram,
        {"mode": "psd", "frame_length": 4, **LAST},
        (2, 9, 2),
        power_of_frames,
        (2, 0),
    ),
    Row(
        layers.MelSpectrogram,
        {
            "fft_length": 16,
            "sequence_stride": 8,
            "num_mel_bins": 3,
            "sampling_rate": 1000,
            "power_to_db": False,
        },
        (2, 40),
        lambda x: o.mel_bands(x, 16, 8, 3, 1000, 20.0, 500.0),
    ),
    Row(
        layers.Discretization,
        {"bin_boundaries": [-0.5, 0.5], "output_mode": "count"},
        (3, 5),
        lambda x: np.eye(3)[np.digitize(x, [-0.5, 0.5])].sum(1),
        smooth=False,
    ),
    Row(
        layers.CategoryEncoding,
        {"num_tokens": 4, "output_mode": "count"},
        (3, 5),
        lambda x: np.eye(4)[x].sum(1),
        integers=4,
    ),
    Row(
        layers.Rescaling,
        {"scale": 2.0, "offset": 0.5},
        (2, 3),
        lambda x: 2 * x + 0.5,
        mask=True,
    ),
    Row(
        layers.Rescaling,
        {"scale": np.array([1.0, 2.0, 3.0])},
        (2, 3),
        lambda x: x * [1, 2, 3],
        mask=True,
        label="vector",
    ),
    Row(
        layers.Normalization,
        {"mean": [1.0, 2.0, 3.0], "variance": 4.0},
        (2, 3),
        lambda x: (x - [1, 2, 3]) / 2,
        mask=True,
    ),
    Row(
        layers.Normalization,
        {"mean": 1.0, "variance": 4.0, "axis": None, "invert": True},
        (2, 3),
        lambda x: x * 2 + 1,
        mask=True,
        label="invert",
    ),
]


def conv_row(layer, kwargs, shape, oracle, weights=(2, 0), label="", **settings):
    def run(x, *w):
        return oracle(x, *w, **settings)

    first = kwargs.get("data_format") == "channels_first"
    run = o.channels_first(run) if first else run
    return Row(layer, kwargs, shape, run, weights, label=label)


CONVOLUTIONAL = [
    conv_row(layers.Conv1D, {"filters": 3, "kernel_size": 3, **LAST}, SEQUENCE, o.conv),
    conv_row(
        layers.Conv1D,
        {
            "filters": 3,
            "kernel_size": 2,
            "padding": "causal",
            "dilation_rate": 2,
            **LAST,
        },
        SEQUENCE,
        o.conv,
        padding="causal",
        dilation=2,
        label="causal",
    ),
    conv_row(
        layers.Conv2D,
        {"filters": 4, "kernel_size": (3, 2), "strides": 2, "groups": 2, **LAST},
        IMAGE,
        o.conv,
        stride=2,
        groups=2,
        label="groups",
    ),
    conv_row(
        layers.Conv2D,
        {"filters": 3, "kernel_size": 3, "strides": (2, 1), "padding": "same", **FIRST},
        IMAGE_FIRST,
        o.conv,
        stride=(2, 1),
        padding="same",
    ),
    conv_row(
        layers.Conv3D,
        {"filters": 2, "kernel_size": 2, "use_bias": False, **LAST},
        VOLUME,
        o.conv,
        (1, 0),
    ),
    conv_row(
        layers.Conv1DTranspose,
        {"filters": 3, "kernel_size": 3, "strides": 2, "output_padding": 1, **LAST},
        SEQUENCE,
        o.conv_transpose,
        stride=2,
        output_padding=1,
    ),
    conv_row(
        layers.Conv2DTranspose,
        {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", **FIRST},
        IMAGE_FIRST,
        o.conv_transpose,
        stride=2,
        padding="same",
    ),
    conv_row(
        layers.Conv3DTranspose,
        {"filters": 2, "kernel_size": 2, "strides": 2, **LAST},
        (1, 2, 3, 2, 2),
        o.conv_transpose,
        stride=2,
    ),
    conv_row(
        layers.DepthwiseConv1D,
        {"kernel_size": 3, "depth_multiplier": 2, **LAST},
        SEQUENCE,
        o.depthwise_conv,
    ),
    conv_row(
        layers.DepthwiseConv2D,
        {"kernel_size": 3, "strides": 2, "padding": "same", **FIRST},
        IMAGE_FIRST,
        o.depthwise_conv,
        stride=2,
        padding="same",
    ),
    conv_row(
        layers.SeparableConv1D,
        {"filters": 3, "kernel_size": 3, "depth_multiplier": 2, **LAST},
        SEQUENCE,
        o.separable_conv,
        (3, 0),
    ),
    conv_row(
        layers.SeparableConv2D,
        {"filters": 3, "kernel_size": 2, **FIRST},
        IMAGE_FIRST,
        o.separable_conv,
        (3, 0),
    ),
]


def pool_rows(kind, reduce):
    def layer(name):
        return getattr(layers, name.replace("*", kind))

    def pool(**settings):
        return lambda x: o.pool(x, reduce, **settings)

    return [
        Row(
            layer("*Pooling1D"),
            {"pool_size": 3, "strides": 2, "padding": "same", **LAST},
            SEQUENCE,
            pool(window=3, stride=2, padding="same"),
        ),
        Row(
            layer("*Pooling2D"),
            {"pool_size": (2, 3), **FIRST},
            IMAGE_FIRST,
            o.channels_first(pool(window=(2, 3))),
        ),
        Row(layer("*Pooling3D"), {"pool_size": 2, **LAST}, VOLUME, pool(window=2)),
        Row(
            layer("Global*Pooling1D"),
            {"keepdims": True, **LAST},
            SEQUENCE,
            lambda x: reduce(x, axis=1, keepdims=True),
            mask=None if kind == "Average" else False,
        ),
        Row(
            layer("Global*Pooling2D"),
            FIRST,
            IMAGE_FIRST,
            lambda x: reduce(x, axis=(2, 3)),
        ),
        Row(
            layer("Global*Pooling3D"), LAST, VOLUME, lambda x: reduce(x, axis=(1, 2, 3))
        ),
        Row(
            layer("Adaptive*Pooling1D"),
            {"output_size": 3, **LAST},
            SEQUENCE,
            lambda x: o.adaptive_pool(x, reduce, 3),
        ),
        Row(
            layer("Adaptive*Pooling2D"),
            {"output_size": (3, 2), **FIRST},
            IMAGE_FIRST,
            o.channels_first(lambda x: o.adaptive_pool(x, reduce, (3, 2))),
        ),
        Row(
            layer("Adaptive*Pooling3D"),
            {"output_size": 2, **LAST},
            VOLUME,
            lambda x: o.adaptive_pool(x, reduce, 2),
        ),
    ]


POOLING = [*pool_rows("Max", np.max), *pool_rows("Average", np.mean)]


def attended(query, value):
    scores = np.einsum("abc,adc->abd", query, value)
    return special.softmax(scores, -1) @ value


def additively_attended(query, value, scale):
    pairs = query[:, :, None] + value[:, None]
    return special.softmax((scale * np.tanh(pairs)).sum(-1), -1) @ value


def attended_by_heads(query, value, *weights):
    """The weights are kernel and bias of query, key, value and output."""
    q, k, v = (
        np.einsum("btc,cnh->bnth", x, weights[2 * i]) + weights[2 * i + 1][:, None]
        for i, x in enumerate((query, value, value))
    )
    k, v = (np.repeat(x, q.shape[1] // x.shape[1], 1) for x in (k, v))
    scores = special.softmax(q @ k.swapaxes(2, 3) / np.sqrt(q.shape[-1]), -1)
    return np.einsum("bnth,nhc->btc", scores @ v, weights[6]) + weights[7]


# Their masks, gates and windows, and both of their roads: test_attention.py.
ATTENTION = [
    Row(layers.Attention, {}, [(3, 4, 2), (3, 5, 2)], attended),
    Row(
        layers.AdditiveAttention,
        {},
        [(3, 4, 2), (3, 5, 2)],
        additively_attended,
        (1, 0),
    ),
    Row(
        layers.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "value_dim": 2},
        [(3, 4, 2), (3, 5, 2)],
        attended_by_heads,
        (8, 0),
        separate=True,
    ),
    Row(
        layers.GroupQueryAttention,
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        [(3, 4, 2), (3, 5, 2)],
        attended_by_heads,
        (8, 0),
        separate=True,
    ),
]

ROWS = [
    *CORE,
    *ATTENTION,
    *ACTIVATIONS,
    *NORMALIZATION,
    *MERGING,
    *RESHAPING,
    *TIME_DISTRIBUTED,
    *RECURRENT,
    *PREPROCESSING,
    *CONVOLUTIONAL,
    *POOLING,
]
