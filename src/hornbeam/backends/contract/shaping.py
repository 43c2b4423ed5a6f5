"""Shapes, indexing, order, creation."""

from __future__ import annotations

from typing import Any


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """The numbers from `start` (default 0) up to but without `stop`."""


def argpartition(x: Any, kth: Any, axis: Any = -1) -> Any:
    """Indices that put the `kth` smallest in its place, and no larger one before it."""


def argsort(x: Any, axis: Any = -1) -> Any:
    """The indices that put the elements in rising order; equal ones keep theirs."""


def broadcast_to(x: Any, shape: Any) -> Any:
    """`x` repeated along axes of size 1, or new ones, to `shape`."""


def concatenate(xs: Any, axis: Any = 0) -> Any:
    """Tensors put one behind the other along an axis that they have."""


def count_integers(x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    """The engine's `bincount`."""


def diag(x: Any, k: Any = 0) -> Any:
    """The `k`th diagonal of a matrix, or a matrix with `x` on that diagonal."""


def diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    """The diagonals of the planes of two axes, along a new last axis."""


def dynamic_slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The window of `shape` that starts at `start_indices`, moved inside if needed."""


def dynamic_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """`inputs` with `updates` in the window that starts at `start_indices`."""


def expand_dims(x: Any, axis: Any) -> Any:
    """A new axis of size 1, or several."""


def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    """A matrix with ones on the `k`th diagonal and zeros elsewhere."""


def flip(x: Any, axis: Any = None) -> Any:
    """The elements in reverse order along `axis` (default: all)."""


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """A tensor of `fill_value`; `dtype` is `floatx()` by default."""


def get_item(x: Any, key: Any) -> Any:
    """`x[key]`, with integers, slices, None, an ellipsis or tensors."""


def nonzero(x: Any) -> Any:
    """The indices of the elements that are not 0, one tensor an axis."""


def ones(shape: Any, dtype: Any = None) -> Any:
    """A tensor of ones; `dtype` is `floatx()` by default."""


def padded(
    x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None
) -> Any:
    """The engine's `pad`, with a pair for each axis."""


def repeat(x: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element, or each slice along `axis`, several times in a row."""


def reshape(x: Any, newshape: Any) -> Any:
    """The same elements in another shape; one size may be -1: it is worked out."""


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """The elements moved by `shift`, those that fall off come in at the other end."""


def scatter_into(inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
    """`inputs` with `updates` put, added, ... at `indices` (last axis: a place)."""


def searchsorted(sorted_sequence: Any, values: Any, side: Any = "left") -> Any:
    """The index at which each value would go into a sorted row."""


def sort(x: Any, axis: Any = -1) -> Any:
    """The elements in rising order along `axis` (default: the last)."""


def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    """The tensor cut into pieces, as a list."""


def squeeze(x: Any, axis: Any = None) -> Any:
    """Axes of size 1 removed: those of `axis`, or all."""


def stack(x: Any, axis: Any = 0) -> Any:
    """Tensors of one shape put side by side along a new axis."""


def take(x: Any, indices: Any, axis: Any = None) -> Any:
    """Slices of `x` at `indices` along `axis`; of the flat tensor without an axis."""


def take_along_axis(x: Any, indices: Any, axis: Any = None) -> Any:
    """Elements of `x` at positions along `axis`, as `argsort`, `argmax` give them."""


def tile(x: Any, repeats: Any) -> Any:
    """The whole tensor several times along each axis."""


def top_k(x: Any, k: Any, sorted: Any = True) -> Any:
    """The `k` largest elements along the last axis, and their indices."""


def transpose(x: Any, axes: Any = None) -> Any:
    """The axes in another order; reversed by default."""


def tri(N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
    """A matrix with ones on and below the `k`th diagonal."""


def tril(x: Any, k: Any = 0) -> Any:
    """`x` with zeros above the `k`th diagonal of its last two axes."""


def triu(x: Any, k: Any = 0) -> Any:
    """`x` with zeros below the `k`th diagonal of its last two axes."""


def unique(
    x: Any,
    sorted: Any = True,
    return_index: Any = False,
    return_inverse: Any = False,
    return_counts: Any = False,
    axis: Any = None,
    size: Any = None,
    fill_value: Any = None,
) -> Any:
    """The different elements of `x`, in rising order."""


def view(x: Any, dtype: Any = None) -> Any:
    """The bytes of `x` read as another dtype."""


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Elements of `x1` where `condition` is true, of `x2` elsewhere."""


def zeros(shape: Any, dtype: Any = None) -> Any:
    """A tensor of zeros; `dtype` is `floatx()` by default."""
