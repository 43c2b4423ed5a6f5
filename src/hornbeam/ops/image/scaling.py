"""Resampling along axes: kernels, their weights, and scaling by any factor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Literal

import numpy as np

from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import numpy as tensors
from hornbeam.ops import rules
from hornbeam.ops.axes import shape_of
from hornbeam.ops.core import cast, convert_to_tensor, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.image.sampling import wide
from hornbeam.ops.numpy import moveaxis, tensordot
from hornbeam.typing import Tensor, TensorLike


def _triangle(d, xp):
    return xp.maximum(1 - d, 0)


def _cubic(d, xp):
    """The kernel of Keys (1981) with a = -1/2."""
    near = (1.5 * d - 2.5) * d * d + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return xp.where(d <= 1, near, xp.where(d < 2, far, 0))


def _lanczos(radius: int) -> Callable:
    return lambda d, xp: xp.where(d < radius, xp.sinc(d) * xp.sinc(d / radius), 0)


KERNELS: dict[str, Any] = {
    "bilinear": _triangle,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}
_NAMES = {name: name for name in KERNELS} | {
    "linear": "bilinear",
    "trilinear": "bilinear",
    "triangle": "bilinear",
    "cubic": "bicubic",
    "tricubic": "bicubic",
}


def weights_at(
    centres: Any, stretch: Any, size: int, kernel: str, xp: ModuleType = np
) -> Any:
    """Return the matrix (size, n) that samples an axis at n places.

    Args:
        centres: the places; pixels are at whole numbers.
        stretch: the factor by which the kernel is wider.
        size: the number of pixels.
        kernel: a name in `KERNELS`.
        xp: `numpy` for arrays (default), or `hornbeam.ops.numpy` for tensors.
    """
    pixels = xp.expand_dims(xp.arange(size, dtype=centres.dtype), 1)
    weights = KERNELS[kernel](xp.abs(centres - pixels) / stretch, xp)
    total = xp.sum(weights, 0)
    # Far from all pixels there is no weight.
    return weights / xp.where(xp.abs(total) > 1e-4, total, 1)


def _plan(images, output_shape, scale, translation, spatial_dims, method, _):
    """Return the axes and their new sizes."""
    owner = "scale_and_translate"
    check_choice(owner, "method", method, tuple(_NAMES))
    sizes = tuple(images.shape)
    output_shape = tuple(output_shape)
    axes = [range(len(sizes))[axis] for axis in spatial_dims]
    kept = [None if i in axes else n for i, n in enumerate(output_shape)]
    if not rules.may_be_equal(kept, list(sizes)):
        raise ValueError(
            f"{owner}(): `output_shape` must have a size for each axis of `images`, "
            "equal where the axis is not in `spatial_dims`. Received: "
            f"output_shape={output_shape}, images.shape={sizes}, "
            f"spatial_dims={tuple(spatial_dims)}"
        )
    for name, x in (("scale", scale), ("translation", translation)):
        if not rules.may_be_equal(shape_of(x), (len(axes),)):
            raise ValueError(
                f"{owner}(): `{name}` must have a number for each of `spatial_dims`. "
                f"Received: {name}.shape={shape_of(x)}, "
                f"spatial_dims={tuple(spatial_dims)}"
            )
    return axes, [output_shape[axis] for axis in axes]


def _spec(a):
    _plan(*a.values())
    images = a["images"]
    known = zip(images.shape, a["output_shape"], strict=True)
    sizes = [n if m is None else m for n, m in known]
    return KerasTensor(sizes, dtypes.result_type(images.dtype, float))


@composite(rule=_spec)
def scale_and_translate(
    images: TensorLike,
    output_shape: Sequence[int | None],
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Sequence[int],
    method: Literal[
        "linear",
        "bilinear",
        "trilinear",
        "triangle",
        "cubic",
        "bicubic",
        "tricubic",
        "lanczos3",
        "lanczos5",
    ],
    antialias: bool = True,
) -> Tensor:
    """Stretch axes of an array by any factors, and shift what is on them.

    What is at `x` on an axis comes to `x * scale + translation`, where the centre of
    the first pixel is at 1/2. Pixels of the result that come from outside are 0.

    Args:
        images: a tensor of any rank.
        output_shape: the shape of the result.
        scale: the factor for each axis in `spatial_dims`.
        translation: the shift, in pixels of the result, for each of them.
        spatial_dims: the axes; the others stay as they are.
        method: `"linear"` (also `"bilinear"`, `"trilinear"`, `"triangle"`), `"cubic"`
            (also `"bicubic"`, `"tricubic"`), `"lanczos3"` or `"lanczos5"`.
        antialias: whether the kernel widens where an axis shrinks. Default: True.

    Returns:
        A tensor of floats.

    >>> import hornbeam as keras
    >>> x = keras.ops.convert_to_tensor([1.0, 2.0, 3.0])
    >>> twice = keras.ops.image.scale_and_translate(x, (5,), [2], [-0.5], [0], "linear")
    >>> twice.tolist()
    [1.0, 1.5, 2.0, 2.5, 3.0]
    """
    images = convert_to_tensor(images)
    axes, sizes = _plan(
        images, output_shape, scale, translation, spatial_dims, method, antialias
    )
    x = wide(images)
    scale, translation = (wide(convert_to_tensor(v)) for v in (scale, translation))
    for i, (axis, new) in enumerate(zip(axes, sizes, strict=True)):
        old = shape(x)[axis]
        centres = tensors.arange(new, dtype=scale.dtype) + 0.5
        centres = (centres - translation[i]) / scale[i] - 0.5
        stretch = tensors.maximum(1 / scale[i], 1) if antialias else 1
        weights = weights_at(centres, stretch, old, _NAMES[method], tensors)
        end = cast(old, centres.dtype) - 0.5
        inside = tensors.logical_and(centres >= -0.5, centres <= end)
        weights = tensors.where(inside, weights, 0)
        x = moveaxis(tensordot(x, weights, axes=[[axis], [0]]), -1, axis)
    return cast(x, dtypes.result_type(dtypes.standardize_dtype(images.dtype), float))
