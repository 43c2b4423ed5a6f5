"""Moving the pixels of images: affine, perspective and elastic transformations."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

from hornbeam import backends
from hornbeam.core.errors import check_choice
from hornbeam.core.random import draw_seed
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.axes import shape_of
from hornbeam.ops.core import cast, convert_to_tensor, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.image.axes import spatial_axes
from hornbeam.ops.image.sampling import FILL_MODES, FillMode, sample, wide
from hornbeam.ops.math import erfinv
from hornbeam.ops.numpy import (
    arange,
    concatenate,
    cross,
    exp,
    expand_dims,
    matmul,
    maximum,
    ones_like,
    reshape,
    square,
    stack,
    tensordot,
)
from hornbeam.typing import DataFormat, Seed, Tensor, TensorLike

Interpolation: TypeAlias = Literal["nearest", "bilinear"]
_ORDERS = {"nearest": 0, "bilinear": 1}


def _check(owner, images, interpolation, fill_mode, data_format):
    """Return the index of the first spatial axis."""
    check_choice(owner, "interpolation", interpolation, tuple(_ORDERS))
    check_choice(owner, "fill_mode", fill_mode, FILL_MODES)
    return spatial_axes(owner, images, data_format)[0]


def _check_one_per_image(owner, images, name, x, sizes):
    """Check the shape of an argument: `sizes`, or a batch of them."""
    found = tuple(shape_of(x))
    rank = len(sizes)
    several = found[:-rank]
    if len(several) > 1 or not _fit(found[-rank:], sizes):
        raise ValueError(
            f"Invalid {name} rank or shape: {owner}() expects {name} of shape {sizes} "
            f"(for all images) or (N, {str(sizes)[1:]} (one for each). Received: "
            f"{name}.shape={found}"
        )
    one_image = len(images.shape) == 3
    if several and not _fit(several, (1,)):
        batch = (1,) if one_image else (images.shape[0],)
        if not _fit(several, batch):
            raise ValueError(
                f"{owner}(): `{name}` must be one for each image, or one for all. "
                f"Received: {name}.shape={found}, images.shape={tuple(images.shape)}"
            )


def _fit(found, sizes):
    pairs = zip(found, sizes, strict=False)
    return len(found) == len(sizes) and all(None in p or p[0] == p[1] for p in pairs)


def _moved(images, first, coordinates, interpolation, fill_mode, fill_value):
    """Return images whose pixels are taken from places in `images`.

    `coordinates(height, width)` gives y and x of them, as (batch or 1, height, width).
    """
    alone = len(images.shape) == 3
    if alone:
        images, first = images[None], first + 1
    places = coordinates(*shape(images)[first : first + 2])
    if first == 2:
        places = [expand_dims(c, 1) for c in places]
    order = _ORDERS[interpolation]
    moved = sample(images, first, places, order, fill_mode, fill_value)
    return moved[0] if alone else moved


def _grid(height, width, dtype):
    y = reshape(arange(height, dtype=dtype), (1, -1, 1))
    return y, reshape(arange(width, dtype=dtype), (1, 1, -1))


def _projection(matrix):
    """Return the coordinates to which matrices of rows (N, 9) map each pixel."""

    def coordinates(height, width):
        y, x = _grid(height, width, matrix.dtype)
        a0, a1, a2, b0, b1, b2, c0, c1, k = (
            reshape(matrix[:, i], (-1, 1, 1)) for i in range(9)
        )
        depth = c0 * x + c1 * y + k
        return (b0 * x + b1 * y + b2) / depth, (a0 * x + a1 * y + a2) / depth

    return coordinates


def _affine_plan(images, transform, interpolation, fill_mode, _, data_format):
    owner = "affine_transform"
    first = _check(owner, images, interpolation, fill_mode, data_format)
    _check_one_per_image(owner, images, "transform", transform, (8,))
    return first


def _spec(plan):
    def spec(a):
        plan(*a.values())
        return KerasTensor(a["images"].shape, a["images"].dtype)

    return spec


@composite(rule=_spec(_affine_plan))
def affine_transform(
    images: TensorLike,
    transform: TensorLike,
    interpolation: Interpolation = "bilinear",
    fill_mode: FillMode = "constant",
    fill_value: float = 0,
    data_format: DataFormat | None = None,
) -> Tensor:
    """Move, turn, stretch or shear images.

    The pixel at `(x, y)` of the result is that at `((a0 x + a1 y + a2) / k,
    (b0 x + b1 y + b2) / k)` of the image, where `k = c0 x + c1 y + 1`.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        transform: `[a0, a1, a2, b0, b1, b2, c0, c1]` for all images, or a row of these
            for each. Where `c0` and `c1` are 0 the transformation is affine.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        fill_mode: what lies beyond the edges: `"constant"` (default), `"nearest"`,
            `"wrap"`, `"mirror"` or `"reflect"`, as in `map_coordinates`.
        fill_value: what `"constant"` holds there. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (2, 2, 1))
    >>> shift = [1, 0, 1, 0, 1, 0, 0, 0]
    >>> keras.ops.image.affine_transform(x, shift)[..., 0].tolist()
    [[1.0, 0.0], [3.0, 0.0]]
    """
    images = convert_to_tensor(images)
    first = _affine_plan(
        images, transform, interpolation, fill_mode, fill_value, data_format
    )
    rows = reshape(wide(convert_to_tensor(transform)), (-1, 8))
    matrix = concatenate([rows, ones_like(rows[:, :1])], axis=1)
    places = _projection(matrix)
    return _moved(images, first, places, interpolation, fill_mode, fill_value)


def _perspective_plan(images, start_points, end_points, interpolation, _, data_format):
    owner = "perspective_transform"
    first = _check(owner, images, interpolation, "constant", data_format)
    for name, points in (("start_points", start_points), ("end_points", end_points)):
        _check_one_per_image(owner, images, name, points, (4, 2))
    return first


@composite(rule=_spec(_perspective_plan))
def perspective_transform(
    images: TensorLike,
    start_points: TensorLike,
    end_points: TensorLike,
    interpolation: Interpolation = "bilinear",
    fill_value: float = 0,
    data_format: DataFormat | None = None,
) -> Tensor:
    """Show images from another point of view: four points go to four others.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        start_points: `(4, 2)`, or that for each image: `(x, y)` of four points of the
            image, no three of them on a line.
        end_points: where they are in the result.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        fill_value: what lies beyond the edges. Default: 0.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    >>> import hornbeam as keras
    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (2, 2, 1))
    >>> start = [[0, 0], [1, 0], [0, 1], [1, 1]]
    >>> end = [[1, 0], [0, 0], [1, 1], [0, 1]]
    >>> keras.ops.image.perspective_transform(x, start, end)[..., 0].tolist()
    [[1.0, 0.0], [3.0, 2.0]]
    """
    images = convert_to_tensor(images)
    first = _perspective_plan(
        images, start_points, end_points, interpolation, fill_value, data_format
    )
    places = _projection(projection_between(start_points, end_points))
    return _moved(images, first, places, interpolation, "constant", fill_value)


def projection_between(start_points: TensorLike, end_points: TensorLike) -> Tensor:
    """Return the matrices, in rows of 9, that map four points back to where they start.

    Args:
        start_points: `(4, 2)`, or that for each image.
        end_points: `(4, 2)`, or that for each image.
    """
    start, end = (
        _from_square(reshape(wide(convert_to_tensor(points)), (-1, 4, 2)))
        for points in (start_points, end_points)
    )
    return reshape(matmul(start, _inverse(end)), (-1, 9))


def _from_square(points):
    """Return the matrices (N, 3, 3) that map the unit square to points (N, 4, 2).

    Heckbert, "Fundamentals of Texture Mapping and Image Warping" (1989), section 2.2.3.
    """
    p0, p1, p2, p3 = (points[:, i] for i in (0, 1, 3, 2))
    to_1, to_3, rest = p1 - p2, p3 - p2, p0 - p1 + p2 - p3
    area = _area(to_1, to_3)
    g, h = _area(rest, to_3) / area, _area(to_1, rest) / area
    columns = [(p1 - p0 + g * p1, g), (p3 - p0 + h * p3, h), (p0, ones_like(g))]
    return stack([concatenate(c, axis=1) for c in columns], axis=-1)


def _area(u, v):
    """Return the signed area (N, 1) that vectors (N, 2) span."""
    return u[:, :1] * v[:, 1:] - u[:, 1:] * v[:, :1]


def _inverse(matrix):
    """Return the inverses (N, 3, 3), up to a factor."""
    a, b, c = (matrix[:, i] for i in range(3))
    return stack([cross(b, c), cross(c, a), cross(a, b)], axis=-1)


def _elastic_plan(images, alpha, sigma, interpolation, fill_mode, _, seed, data_format):
    return _check("elastic_transform", images, interpolation, fill_mode, data_format)


@composite(rule=_spec(_elastic_plan))
def elastic_transform(
    images: TensorLike,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: Interpolation = "bilinear",
    fill_mode: FillMode = "reflect",
    fill_value: float = 0.0,
    seed: Seed = None,
    data_format: DataFormat | None = None,
) -> Tensor:
    """Shift each pixel by a random field that varies smoothly.

    The field is normal noise of standard deviation `sigma`, blurred with a Gaussian of
    the same and multiplied by `alpha`: shifts of `alpha / (2 sqrt(pi))` pixels, one
    and the other way, each of a region about `2 sigma` wide.

    Args:
        images: `(height, width, channels)` or a batch of them, or channels first.
        alpha: how far pixels go. Default: 20.
        sigma: how smooth the field is, in pixels. Default: 5.
        interpolation: `"bilinear"` (default) or `"nearest"`.
        fill_mode: what lies beyond the edges: `"reflect"` (default), `"constant"`,
            `"nearest"`, `"wrap"` or `"mirror"`, as in `map_coordinates`.
        fill_value: what `"constant"` holds there. Default: 0.
        seed: an integer (the same field each time), a `SeedGenerator`, or None for the
            global generator.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.

    Returns:
        A tensor of the shape and dtype of `images`; integers are rounded.

    Reference: Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural
    Networks Applied to Visual Document Analysis" (2003).

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((2, 8, 8, 3))
    >>> keras.ops.image.elastic_transform(x, seed=1).shape
    (2, 8, 8, 3)
    """
    images = convert_to_tensor(images)
    first = _check("elastic_transform", images, interpolation, fill_mode, data_format)
    batch = shape(images)[0] if len(images.shape) == 4 else 1

    def coordinates(height, width):
        return elastic_places((batch, height, width), alpha, sigma, seed)

    return _moved(images, first, coordinates, interpolation, fill_mode, fill_value)


def elastic_places(
    sizes: tuple[Any, Any, Any], alpha: Any, sigma: Any, seed: Seed
) -> tuple[Tensor, Tensor]:
    """Return y and x of the places that `elastic_transform` takes pixels from.

    Args:
        sizes: how many images there are, their height and their width.
        alpha: how far pixels go.
        sigma: how smooth the field is.
        seed: the seed of the field.
    """
    field = _noise((2, *sizes), seed) * sigma * alpha
    for size in sizes[1:]:
        field = tensordot(field, _blur(size, sigma), axes=[[2], [0]])
    y, x = _grid(*sizes[1:], field.dtype)
    return y + field[0], x + field[1]


def _blur(size, sigma):
    """Return the matrix that blurs an axis; beyond its ends there are zeros."""
    places = arange(size, dtype="float32")
    distance = (expand_dims(places, 1) - places) / maximum(sigma, 1e-6)
    return exp(-0.5 * square(distance)) / maximum(sigma * (2 * math.pi) ** 0.5, 1.0)


def _noise(sizes, seed):
    """Return standard normal numbers."""
    uniform: Any = backends.current().random_uniform(draw_seed(seed), sizes)
    # Its values are multiples of 2^-24: this is the middle of their intervals.
    return erfinv(cast(2 * uniform - (1 - 2**-24), "float32")) * 2**0.5
