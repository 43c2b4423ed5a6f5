"""The layers' formulas in plain NumPy, written for clarity and in float64."""

import itertools

import numpy as np
from scipy import signal


def linear(x, kernel, bias=0.0):
    return x @ kernel + bias


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def normalized(x, axes, epsilon):
    mean = x.mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)


def group_normalized(x, gamma, beta, groups, epsilon=1e-3):
    """Channels last."""
    parts = np.split(x, groups, axis=-1)
    axes = tuple(range(1, x.ndim))
    return np.concatenate([normalized(p, axes, epsilon) for p in parts], -1) * gamma + (
        beta
    )


def spans(size, window, stride, padding, dilation=1):
    """Return (start, [places]) of each window along an axis, places inside only."""
    extent = (window - 1) * dilation + 1
    if padding == "valid":
        count, before = (size - extent) // stride + 1, 0
    else:
        count = -(-size // stride)
        before = max((count - 1) * stride + extent - size, 0) // 2
    if padding == "causal":
        before = extent - 1
    for i in range(count):
        start = i * stride - before
        places = [start + k * dilation for k in range(window)]
        yield [(k, p) for k, p in enumerate(places) if 0 <= p < size]


def windows(x, window, stride, padding, dilation):
    """Yield (output place, [(kernel place, input place)]) of a channels-last `x`."""
    axes = [
        list(enumerate(spans(*each)))
        for each in zip(
            x.shape[1:-1],
            window,
            stride,
            [padding] * len(window),
            dilation,
            strict=True,
        )
    ]
    for chosen in itertools.product(*axes):
        out = tuple(i for i, _ in chosen)
        pairs = [
            (tuple(k for k, _ in combo), tuple(p for _, p in combo))
            for combo in itertools.product(*(places for _, places in chosen))
        ]
        yield out, pairs


def _shape(x, window, stride, padding, dilation):
    return tuple(
        len(list(spans(n, k, s, padding, d)))
        for n, k, s, d in zip(x.shape[1:-1], window, stride, dilation, strict=True)
    )


def conv(x, kernel, bias=0.0, stride=1, padding="valid", dilation=1, groups=1):
    rank = x.ndim - 2
    window = kernel.shape[:rank]
    stride, dilation = _each(stride, rank), _each(dilation, rank)
    out_shape = _shape(x, window, stride, padding, dilation)
    y = np.zeros((x.shape[0], *out_shape, kernel.shape[-1]))
    c_in, c_out = kernel.shape[-2], kernel.shape[-1] // groups
    for out, pairs in windows(x, window, stride, padding, dilation):
        for k, p in pairs:
            for g in range(groups):
                ins, outs = slice(g * c_in, (g + 1) * c_in), slice(g * c_out, None)
                part = x[(slice(None), *p, ins)] @ kernel[(*k, slice(None), outs)]
                y[(slice(None), *out, slice(g * c_out, (g + 1) * c_out))] += part[
                    :, :c_out
                ]
    return y + bias


def depthwise_conv(x, kernel, bias=0.0, **settings):
    """Channel c, multiplier m goes to output c * multiplier + m."""
    *window, channels, multiplier = kernel.shape
    parts = [
        conv(x[..., c : c + 1], kernel[..., c : c + 1, :], **settings)
        for c in range(channels)
    ]
    return np.concatenate(parts, -1) + bias


def separable_conv(x, depthwise, pointwise, bias=0.0, **settings):
    return conv(depthwise_conv(x, depthwise, **settings), pointwise, bias)


def conv_transpose(x, kernel, bias=0.0, stride=1, padding="valid", output_padding=None):
    """The adjoint of `conv`: each input place adds the kernel to its window."""
    rank = x.ndim - 2
    stride = _each(stride, rank)
    window = kernel.shape[:rank]
    sizes, crops = [], []
    for n, k, s in zip(x.shape[1:-1], window, stride, strict=True):
        full = (n - 1) * s + k
        if output_padding is not None:
            size = full + output_padding - (2 * (k // 2) if padding == "same" else 0)
        else:
            size = n * s + (max(k - s, 0) if padding == "valid" else 0)
        sizes.append(size)
        crops.append(max(full - size, 0) // 2 if padding == "same" else 0)
    big = [
        max(n + c, (m - 1) * s + k)
        for n, c, m, s, k in zip(
            sizes, crops, x.shape[1:-1], stride, window, strict=True
        )
    ]
    y = np.zeros((x.shape[0], *big, kernel.shape[-2]))
    for place in itertools.product(*map(range, x.shape[1:-1])):
        at = tuple(
            slice(i * s, i * s + k)
            for i, s, k in zip(place, stride, window, strict=True)
        )
        value = x[(slice(None), *place)]
        y[(slice(None), *at)] += np.einsum("bi,...oi->b...o", value, kernel)
    cut = tuple(slice(c, c + n) for c, n in zip(crops, sizes, strict=True))
    return y[(slice(None), *cut)] + bias


def pool(x, reduce, window, stride=None, padding="valid"):
    rank = x.ndim - 2
    window = _each(window, rank)
    stride = window if stride is None else _each(stride, rank)
    ones = (1,) * rank
    y = np.zeros((x.shape[0], *_shape(x, window, stride, padding, ones), x.shape[-1]))
    for out, pairs in windows(x, window, stride, padding, ones):
        values = np.stack([x[(slice(None), *p)] for _, p in pairs])
        y[(slice(None), *out)] = reduce(values, axis=0)
    return y


def adaptive_pool(x, reduce, sizes):
    for axis, m in enumerate(_each(sizes, x.ndim - 2), 1):
        n = x.shape[axis]
        bins = [
            reduce(np.take(x, range(i * n // m, -(-(i + 1) * n // m)), axis), axis=axis)
            for i in range(m)
        ]
        x = np.stack(bins, axis)
    return x


def channels_first(function):
    """Return the oracle of a channels-last oracle for channels-first inputs."""

    def run(x, *weights, **settings):
        y = function(np.moveaxis(x, 1, -1), *weights, **settings)
        return np.moveaxis(y, -1, 1)

    return run


def up(x, factors):
    for axis, factor in enumerate(factors, 1):
        x = np.repeat(x, factor, axis)
    return x


def _each(value, rank):
    return (value,) * rank if isinstance(value, int) else tuple(value)


def spectrum(x, length, step, size, window):
    """Return the transforms of the windows of (batch, channels, samples)."""
    starts = range(0, x.shape[-1] - length + 1, step)
    frames = np.stack([x[..., s : s + length] for s in starts], axis=-2)
    return np.fft.rfft(frames * window, size)


def mel_bands(x, length, step, bands, rate, low, high):
    """Return the power of (batch, samples) in bands that are even on the mel scale."""
    window = signal.get_window("hann", length)
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(length // 2,) * 2], "reflect")
    power = np.abs(spectrum(padded, length, step, length, window)) ** 2
    mel = lambda hertz: 1127 * np.log1p(hertz / 700)  # noqa: E731
    hertz = lambda mel: 700 * np.expm1(mel / 1127)  # noqa: E731
    edges = np.linspace(mel(low), mel(high), bands + 2)
    assert np.allclose(mel(hertz(edges)), edges)
    weights = np.stack(
        [
            np.interp(
                mel(np.fft.rfftfreq(length, 1 / rate)), edges[i : i + 3], [0, 1, 0]
            )
            for i in range(bands)
        ],
        axis=1,
    )
    weights[0] = 0
    return (power @ weights).swapaxes(-1, -2)
