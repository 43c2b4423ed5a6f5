"""Ops of neural networks and images, written as loops over places, in float64."""

import itertools

import numpy as np
from scipy import ndimage, special


def sparsemax(x):
    """The projection on the simplex, by bisection of the threshold."""
    low, high = x.min() - 1, x.max()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if np.maximum(x - middle, 0).sum() > 1 else (low, middle)
        )
    return np.maximum(x - low, 0)


def padded_input(x, kernel, strides, padding, dilation):
    around = []
    for n, k, s, d in zip(x.shape[1:-1], kernel, strides, dilation, strict=True):
        span = (k - 1) * d + 1
        total = 0
        if padding == "same":
            total = max((int(np.ceil(n / s)) - 1) * s + span - n, 0)
        around.append((total // 2, total - total // 2))
    return around


def loop_conv(x, kernel, strides, padding, dilation, groups):
    rank = x.ndim - 2
    around = padded_input(x, kernel.shape[:rank], strides, padding, dilation)
    x = np.pad(x, [(0, 0), *around, (0, 0)])
    spans = [(k - 1) * d + 1 for k, d in zip(kernel.shape, dilation, strict=False)]
    places = [
        (n - span) // s + 1
        for n, span, s in zip(x.shape[1:-1], spans, strides, strict=True)
    ]
    filters, per_group = kernel.shape[-1], kernel.shape[-2]
    result = np.zeros((x.shape[0], *places, filters))
    for place in np.ndindex(*places):
        for entry in np.ndindex(*kernel.shape[:rank]):
            index = tuple(
                p * s + e * d
                for p, s, e, d in zip(place, strides, entry, dilation, strict=True)
            )
            for f in range(filters):
                group = f // (filters // groups)
                channels = slice(group * per_group, (group + 1) * per_group)
                part = x[(slice(None), *index, channels)]
                result[(slice(None), *place, f)] += (
                    part @ kernel[(*entry, slice(None), f)]
                )
    return result


def scattered(x, kernel, stride, dilation, extra, padding):
    """A transposed convolution of vectors, each input adding its copy of the kernel."""
    n, k = x.shape[0], kernel.shape[0]
    span = (k - 1) * dilation + 1
    full = np.zeros(((n - 1) * stride + span + 8, kernel.shape[1]))
    for i, j in itertools.product(range(n), range(k)):
        full[i * stride + j * dilation] += kernel[j] @ x[i]
    end = (n - 1) * stride + span
    if extra is None:
        length = n * stride + (max(span - stride, 0) if padding == "valid" else 0)
    else:
        length = end - (2 * (span // 2) if padding == "same" else 0) + extra
    start = max(end - length, 0) // 2 if padding == "same" else 0
    return full[start : start + length]


def loop_pool(x, size, strides, padding, reduce):
    around = padded_input(x, size, strides, padding, (1,) * len(size))
    x = np.pad(x, [(0, 0), *around, (0, 0)], constant_values=np.nan)
    places = [
        (n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], size, strides, strict=True)
    ]
    result = np.zeros((x.shape[0], *places, x.shape[-1]))
    for place in np.ndindex(*places):
        window = tuple(
            slice(p * s, p * s + k)
            for p, s, k in zip(place, strides, size, strict=True)
        )
        block = x[(slice(None), *window)]
        result[(slice(None), *place)] = reduce(
            block, axis=tuple(range(1, 1 + len(size)))
        )
    return result


def collapse(path, blank):
    kept = [c for c, before in zip(path, (None, *path), strict=False) if c != before]
    return tuple(c for c in kept if c != blank)


def alignments(logits, blank):
    """Return `{labels: probability}` summed over all paths."""
    p = special.softmax(logits, -1)
    total = {}
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        chance = np.prod(p[np.arange(len(p)), path])
        labels = collapse(path, blank)
        total[labels] = total.get(labels, 0) + chance
    return total


def patches(images, size, strides, dilation, padding):
    """The oracle: windows of NumPy, of a batch with the channels last."""
    rank = len(size)
    if padding == "same":
        widths = [(0, 0)]
        for n, k, s in zip(images.shape[1:], size, strides, strict=False):
            total = max((-(-n // s) - 1) * s + (k - 1) * dilation + 1 - n, 0)
            widths.append((total // 2, total - total // 2))
        images = np.pad(images, [*widths, (0, 0)])
    spans = [(k - 1) * dilation + 1 for k in size]
    axes = tuple(range(1, rank + 1))
    found = np.lib.stride_tricks.sliding_window_view(images, spans, axes)
    steps = tuple(slice(None, None, s) for s in strides)
    inside = (slice(None, None, dilation),) * rank
    found = found[(slice(None), *steps, slice(None), *inside)]
    return np.moveaxis(found, rank + 1, -1).reshape(*found.shape[: rank + 1], -1)


def keys(d):
    if d < 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0


def lanczos(radius):
    def kernel(d):
        if d == 0:
            return 1.0
        a = np.pi * d
        return radius * np.sin(a) * np.sin(a / radius) / a**2 if d < radius else 0.0

    return kernel


KERNELS = {
    "bilinear": lambda d: max(1 - d, 0.0),
    "bicubic": keys,
    "lanczos3": lanczos(3),
    "lanczos5": lanczos(5),
}


def resized(row, new, kernel, antialias):
    old = len(row)
    stretch = max(old / new, 1) if antialias else 1
    result = []
    for i in range(new):
        centre = (i + 0.5) * old / new
        weights = [kernel(abs(j + 0.5 - centre) / stretch) for j in range(old)]
        result.append(np.dot(weights, row) / sum(weights))
    return np.array(result)


# SciPy's names: its "constant" and "wrap" do not interpolate across the edge.
MODES = {"constant": "grid-constant", "wrap": "grid-wrap"}


def sampled(x, coordinates, order, fill_mode="constant", fill_value=0.0):
    mode = MODES.get(fill_mode, fill_mode)
    return ndimage.map_coordinates(x, coordinates, None, order, mode, fill_value)


def projected(images, matrices, order=1, fill_mode="constant", fill_value=0.0):
    """A batch, channels last; the matrices map places in the result to the image."""
    moved = np.empty(images.shape)
    y, x = np.indices(images.shape[1:3])
    for image, matrix, result in zip(images, matrices, moved, strict=True):
        u, v, w = np.tensordot(matrix, np.stack([x, y, np.ones_like(x)]), 1)
        for channel in range(images.shape[-1]):
            result[..., channel] = sampled(
                image[..., channel], [v / w, u / w], order, fill_mode, fill_value
            )
    return moved


def affine(images, transforms, order=1, fill_mode="constant", fill_value=0.0):
    matrices = [np.append(np.float64(t), 1).reshape(3, 3) for t in transforms]
    return projected(images, matrices, order, fill_mode, fill_value)


def perspective(images, start, end, order=1, fill_value=0.0):
    matrices = []
    for points, places in zip(np.float64(start), np.float64(end), strict=True):
        rows, right = [], []
        for (x, y), (u, v) in zip(places, points, strict=True):
            rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y]]
            rows += [[0, 0, 0, x, y, 1, -v * x, -v * y]]
            right += [u, v]
        matrices.append(np.append(np.linalg.solve(rows, right), 1).reshape(3, 3))
    return projected(images, matrices, order, "constant", fill_value)


def blurred(images, kernel_size, sigma):
    for axis, size, width in zip((1, 2), kernel_size, sigma, strict=True):
        images = ndimage.gaussian_filter1d(
            images, width, axis, mode="constant", radius=size // 2
        )
    return images


def edges(images):
    """The two derivatives of a batch, channels last."""
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])[None, :, :, None]
    kernels = (down, down.swapaxes(1, 2))
    found = [ndimage.correlate(images, k, mode="constant") for k in kernels]
    return np.stack(found, -1)


def similarity(a, b, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
    """SSIM of a batch, channels last, with means of scipy.ndimage."""
    radius = filter_size // 2
    inside = slice(radius, -radius)

    def mean(x):
        for axis in (1, 2):
            x = ndimage.gaussian_filter1d(x, filter_sigma, axis, radius=radius)
        return x[:, inside, inside]

    m, n = mean(a), mean(b)
    v, w, vw = mean(a * a) - m**2, mean(b * b) - n**2, mean(a * b) - m * n
    c, d = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    quality = (2 * m * n + c) * (2 * vw + d) / ((m**2 + n**2 + c) * (v + w + d))
    return quality.mean((1, 2, 3))


def scaled(row, new, scale, translation, kernel, antialias=True):
    stretch = max(1 / scale, 1) if antialias else 1
    result = np.zeros(new)
    for i in range(new):
        centre = (i + 0.5 - translation) / scale
        weights = [kernel(abs(j + 0.5 - centre) / stretch) for j in range(len(row))]
        if 0 <= centre <= len(row):
            result[i] = np.dot(weights, row) / sum(weights)
    return result
