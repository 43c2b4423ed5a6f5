"""Rows of the ops of neural networks and of images."""

import colorsys

import numpy as np
from scipy import special, stats

from tests.ops import oracles
from tests.ops.rows import POSITIVE, I, X, Y, floats, row

# Away from the kinks of the piecewise functions, where gradients differ by convention.
POINTS = np.array([-7.3, -3.2, -1.7, -0.8, -0.3, -0.05, 0.05, 0.3, 0.8, 1.7, 3.2, 7.3])
POINTS = POINTS.astype("float32")
SELU_SCALE, SELU_ALPHA = 1.05070098735548, 1.6732632423543772


def _function(op, oracle, **kwargs):
    return row(op, POINTS, oracle=oracle, grad=True, **kwargs)


ACTIVATIONS = [
    _function("relu", lambda x: np.maximum(x, 0)),
    _function("relu6", lambda x: np.clip(x, 0, 6)),
    _function(
        "leaky_relu",
        lambda x, negative_slope: np.where(x > 0, x, negative_slope * x),
        negative_slope=0.3,
    ),
    _function("sigmoid", special.expit),
    _function("hard_sigmoid", lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    _function("silu", lambda x: x * special.expit(x)),
    _function("hard_silu", lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    _function("softplus", lambda x: np.logaddexp(x, 0)),
    _function("log_sigmoid", special.log_expit),
    _function("softsign", lambda x: x / (1 + np.abs(x))),
    _function(
        "elu", lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(x)), alpha=0.7
    ),
    _function(
        "celu",
        lambda x, alpha: np.maximum(x, 0) + np.minimum(alpha * np.expm1(x / alpha), 0),
        alpha=0.7,
    ),
    _function(
        "selu",
        lambda x: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(x)),
    ),
    _function("gelu", lambda x, approximate: x * stats.norm.cdf(x), approximate=False),
    _function("glu", lambda x: x[: x.size // 2] * special.expit(x[x.size // 2 :])),
    _function("hard_tanh", lambda x: np.clip(x, -1, 1)),
    _function("tanh_shrink", lambda x: x - np.tanh(x)),
    _function("hard_shrink", lambda x: np.where(np.abs(x) > 0.5, x, 0)),
    _function("soft_shrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0)),
    _function(
        "threshold",
        lambda x, threshold, default_value: np.where(x > threshold, x, default_value),
        threshold=1.0,
        default_value=-2.0,
    ),
    _function("squareplus", lambda x, b: (x + np.sqrt(x * x + b)) / 2, b=3.0),
    _function(
        "sparse_plus", lambda x: np.select([x <= -1, x < 1], [0, (x + 1) ** 2 / 4], x)
    ),
    _function("sparse_sigmoid", lambda x: np.clip((x + 1) / 2, 0, 1)),
    _function("softmax", special.softmax),
    _function("log_softmax", special.log_softmax),
    _function("sparsemax", oracles.sparsemax),
]
PICTURES = floats(2, 6, 6, 3)
WORDS = floats(2, 10, 3)
LABELS = np.array([0, 2, 1], "int32")
LENGTHS = np.array([5, 4], "int32")
SCORES = floats(3, 4, low=0.2, high=1.0)
SCORES /= SCORES.sum(-1, keepdims=True)
VECTOR, SCALE = floats(4), floats(4, low=0.3, high=3.0)


def _conv(x, kernel, strides=1, padding="valid"):
    rank = x.ndim - 2
    return oracles.loop_conv(x, kernel, (strides,) * rank, padding, (1,) * rank, 1)


def _depthwise_conv(x, kernel):
    """Each channel by itself: kernels of shape (*window, channels, filters of each)."""
    channels = range(x.shape[-1])
    parts = [_conv(x[..., c : c + 1], kernel[..., c : c + 1, :]) for c in channels]
    return np.concatenate(parts, -1)


def _conv_transpose(x, kernel, strides, padding="valid"):
    parts = [oracles.scattered(v, kernel, strides, 1, None, padding) for v in x]
    return np.stack(parts)


def _pool(reduce):
    def pool(x, size, padding="valid"):
        size = (size,) * (x.ndim - 2)
        return oracles.loop_pool(x, size, size, padding, reduce)

    return pool


def _adaptive(reduce):
    """The bins are equal where their number divides the sizes."""
    return lambda x, bins: _pool(reduce)(x, x.shape[1] // bins)


def _logs(p):
    return np.log(p / p.sum(-1, keepdims=True))


def _of_labels(labels, p):
    return -np.take_along_axis(_logs(p), labels[:, None], -1)[:, 0]


def _ctc_loss(target, output, target_length, output_length):
    rows = zip(target, output, target_length, output_length, strict=True)
    return np.array(
        [-np.log(oracles.alignments(x[:t], 0)[tuple(y[:n])]) for y, x, n, t in rows]
    )


def _ctc_greedy(x, lengths):
    labels = np.full((1, *x.shape[:2]), -1)
    for i, (logits, n) in enumerate(zip(x, lengths, strict=True)):
        path = oracles.collapse(tuple(logits[:n].argmax(-1)), 0)
        labels[0, i, : len(path)] = path
    scores = [-logits[:n].max(-1).sum() for logits, n in zip(x, lengths, strict=True)]
    return labels, np.array(scores)[:, None]


def _attention(query, key, value):
    logits = np.einsum("btnh,bsnh->bnts", query, key) / np.sqrt(query.shape[-1])
    return np.einsum("bnts,bsnh->btnh", special.softmax(logits, -1), value)


def _layer_normalization(x):
    centered = x - x.mean(-1, keepdims=True)
    return centered / np.sqrt(x.var(-1, keepdims=True) + 1e-7)


def _blocks(x, size):
    """The windows of (batch, channels, height, width), a column each."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (2, 3))
    batch, channels, rows, columns = windows.shape[:4]
    windows = windows.transpose(0, 1, 4, 5, 2, 3)
    return windows.reshape(batch, channels * size * size, rows * columns)


def _folded(x, output_size, kernel_size, stride):
    """Blocks that do not overlap, put back in their places."""
    batch, (height, width) = len(x), output_size
    rows, columns = height // stride, width // stride
    x = x.reshape(batch, -1, kernel_size, kernel_size, rows, columns)
    return x.transpose(0, 1, 4, 2, 5, 3).reshape(batch, -1, height, width)


def _depth_to_space(x, size):
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height, width, size, size, channels // size**2)
    x = x.transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, height * size, width * size, channels // size**2)


def _space_to_depth(x, size):
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // size, size, width // size, size, channels)
    x = x.transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, height // size, width // size, size**2 * channels)


NEURAL = [
    row("adaptive_average_pool", PICTURES, 3, oracle=_adaptive(np.nanmean), grad=True),
    row("adaptive_max_pool", PICTURES, 3, oracle=_adaptive(np.nanmax), grad=True),
    row("average_pool", PICTURES, 2, padding="same", oracle=_pool(np.nanmean)),
    row("max_pool", PICTURES, 2, oracle=_pool(np.nanmax)),
    row(
        "conv",
        WORDS,
        floats(3, 3, 5),
        2,
        "same",
        oracle=_conv,
        grad=True,
        tolerance=1e-4,
    ),
    row("conv", PICTURES, floats(3, 3, 3, 5), oracle=_conv, tolerance=1e-4),
    row(
        "conv_transpose",
        WORDS,
        floats(3, 4, 3),
        2,
        oracle=_conv_transpose,
        tolerance=1e-4,
    ),
    row(
        "conv_transpose",
        WORDS,
        floats(3, 4, 3),
        2,
        "same",
        oracle=_conv_transpose,
        tolerance=1e-4,
    ),
    row(
        "depthwise_conv",
        PICTURES,
        floats(3, 3, 3, 2),
        oracle=_depthwise_conv,
        tolerance=1e-4,
    ),
    row(
        "separable_conv",
        PICTURES,
        floats(3, 3, 3, 2),
        floats(1, 1, 6, 4),
        oracle=lambda x, depthwise, pointwise: (
            _depthwise_conv(x, depthwise) @ pointwise[0, 0]
        ),
        tolerance=1e-4,
    ),
    row("one_hot", I, 3, oracle=lambda x, n: x[..., None] == np.arange(n)),
    row("multi_hot", I, 3, oracle=lambda x, n: (x[..., None] == np.arange(n)).any(1)),
    row(
        "binary_crossentropy",
        SCORES,
        SCORES[::-1].copy(),
        oracle=lambda y, p: -y * np.log(p) - (1 - y) * np.log(1 - p),
        grad=True,
    ),
    row(
        "categorical_crossentropy",
        SCORES,
        SCORES[::-1].copy(),
        oracle=lambda y, p: -np.sum(y * _logs(p), -1),
        grad=True,
    ),
    row(
        "sparse_categorical_crossentropy",
        LABELS,
        SCORES,
        oracle=_of_labels,
        grad=True,
    ),
    row(
        "ctc_loss",
        np.array([[1, 1, 3], [2, 1, 0]], "int32"),
        floats(2, 5, 4),
        np.array([3, 2], "int32"),
        LENGTHS,
        oracle=_ctc_loss,
        grad=True,
        tolerance=1e-4,
    ),
    row("ctc_decode", floats(2, 5, 4), LENGTHS, oracle=_ctc_greedy),
    row(
        "batch_normalization",
        X,
        VECTOR,
        SCALE,
        -1,
        VECTOR,
        SCALE,
        oracle=lambda x, m, v, axis, b, g: (x - m) / np.sqrt(v + 1e-3) * g + b,
        grad=True,
    ),
    row("layer_normalization", X, oracle=_layer_normalization, grad=True),
    row(
        "rms_normalization",
        X,
        oracle=lambda x: x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-7),
        grad=True,
    ),
    row(
        "normalize",
        X,
        oracle=lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True),
        grad=True,
    ),
    row("moments", X, [0], oracle=lambda x, axes: (x.mean(0), x.var(0))),
    row(
        "dot_product_attention",
        *(floats(2, n, 2, 4) for n in (5, 6, 6)),
        oracle=_attention,
        grad=True,
        tolerance=1e-4,
    ),
    row("polar", POSITIVE, Y, oracle=lambda r, t: r * np.exp(1j * t)),
    row(
        "psnr",
        X,
        Y,
        2.0,
        oracle=lambda a, b, top: 10 * np.log10(top**2 / ((a - b) ** 2).mean()),
        grad=True,
    ),
    row("unfold", floats(2, 3, 4, 5), 2, oracle=_blocks, grad=True),
    row("fold", floats(2, 12, 16), (8, 8), 2, stride=2, oracle=_folded),
    row("depth_to_space", floats(2, 3, 2, 8), 2, oracle=_depth_to_space, grad=True),
    row("space_to_depth", PICTURES, 2, oracle=_space_to_depth, grad=True),
]
COLORS = floats(2, 4, 5, 3, low=0.05, high=0.95)
VOLUMES = floats(1, 4, 6, 4, 2)


def _hsv(function):
    return lambda x: np.apply_along_axis(lambda c: function(*c), -1, x)


def _patches(x, size):
    return oracles.patches(x, size, size, 1, "valid")


def _resized(x, size):
    for axis, new in enumerate(size, 1):
        x = np.apply_along_axis(
            oracles.resized, axis, x, new, oracles.KERNELS["bilinear"], False
        )
    return x


def _scaled(x, shape, scale, translation, axes, method):
    for axis, s, t in zip(axes, scale, translation, strict=True):
        kernel = oracles.KERNELS["bicubic"]
        x = np.apply_along_axis(oracles.scaled, axis, x, shape[axis], s, t, kernel)
    return x


# A turn with zoom, a shear with a shift.
TRANSFORMS = np.array(
    [[0.8, 0.4, -0.37, -0.5, 0.9, 0.83, 0, 0], [1, 0.3, 0.61, 0, 1.1, -0.77, 0, 0]],
    "float32",
)
CORNERS = np.array([[[0, 0], [4, 0], [0, 3], [4, 3]]] * 2, "float32")
IMAGES = [
    row(
        "image.rgb_to_grayscale",
        COLORS,
        oracle=lambda x: x @ np.array([[0.2989], [0.587], [0.114]]),
    ),
    row("image.rgb_to_hsv", COLORS, oracle=_hsv(colorsys.rgb_to_hsv)),
    row("image.hsv_to_rgb", COLORS, oracle=_hsv(colorsys.hsv_to_rgb)),
    row("image.crop_images", COLORS, 1, 2, 0, 1, oracle=lambda x, *_: x[:, 1:, 2:4]),
    row(
        "image.pad_images",
        COLORS,
        1,
        2,
        0,
        1,
        oracle=lambda x, *_: np.pad(x, ((0, 0), (1, 0), (2, 1), (0, 0))),
    ),
    row("image.extract_patches", COLORS, (2, 3), oracle=_patches),
    row("image.extract_patches_3d", VOLUMES, (2, 3, 2), oracle=_patches),
    row("image.resize", COLORS, (7, 3), oracle=_resized, grad=True),
    row(
        "image.map_coordinates",
        floats(4, 5),
        floats(2, 7, low=-2.9, high=6.9),
        1,
        "reflect",
        oracle=oracles.sampled,
        grad=True,
    ),
    row(
        "image.affine_transform",
        COLORS,
        TRANSFORMS,
        oracle=oracles.affine,
        grad=True,
    ),
    row(
        "image.perspective_transform",
        COLORS,
        CORNERS,
        CORNERS + floats(2, 4, 2, low=-0.7, high=0.7),
        oracle=oracles.perspective,
        grad=True,
    ),
    row(
        "image.elastic_transform",
        COLORS,
        0.0,
        seed=1,
        oracle=lambda x, *_, **__: x,
        grad=True,
    ),
    row(
        "image.scale_and_translate",
        COLORS,
        (2, 7, 3, 3),
        np.array([1.7, 0.6], "float32"),
        np.array([-0.8, 0.3], "float32"),
        (1, 2),
        "cubic",
        oracle=_scaled,
        grad=True,
    ),
    row(
        "image.gaussian_blur",
        COLORS,
        (3, 5),
        (0.8, 1.3),
        oracle=oracles.blurred,
        grad=True,
    ),
    row("image.sobel_edges", COLORS, oracle=oracles.edges, grad=True),
    row(
        "image.ssim",
        COLORS,
        floats(2, 4, 5, 3, low=0.05, high=0.95),
        filter_size=3,
        oracle=oracles.similarity,
        grad=True,
        tolerance=1e-4,
    ),
]
