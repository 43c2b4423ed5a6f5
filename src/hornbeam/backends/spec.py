"""Shape and dtype without values: what an engine's `infer` takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import optree

from hornbeam.backends.scipy_sparse import is_scipy_sparse
from hornbeam.core.dtypes import standardize_dtype

Shape: TypeAlias = tuple[int | None, ...]

# Stand-ins for an unknown dimension. Both divide by 2, 3, 4, 6, 8 and 12, so that
# reshapes and blocks fit; the large pair is for windows wider than the small one.
STAND_INS = ((24, 48), (240, 480), (1, 2))


@dataclass(frozen=True, slots=True)
class Spec:
    """The shape (None for an unknown dimension) and the dtype name of a tensor."""

    shape: Shape
    dtype: str
    sparse: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The shape where every dimension is known."""
        return cast(tuple[int, ...], self.shape)


def is_spec(x: Any, is_tensor: Callable[[Any], bool]) -> bool:
    """Whether `x` describes a tensor without being one."""
    return (
        hasattr(x, "shape")
        and hasattr(x, "dtype")
        and not isinstance(x, (np.ndarray, np.generic))
        and not is_tensor(x)
        and not is_scipy_sparse(x)
        and not hasattr(x, "value")
    )


def infer_with(
    evaluate: Callable[[Callable, list[Spec]], list[Any]],
    is_tensor: Callable[[Any], bool],
    fn: Callable,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Specs of `fn(*args, **kwargs)`, where some leaves of the arguments are specs.

    `evaluate(run, specs)` is the engine's part: it calls `run` with one tensor for each
    (fully known) spec and gives the flat results as specs or plain values. A dimension
    that differs between two sizes of the unknown dimensions is unknown.
    """
    arguments: Any = (args, kwargs)
    leaves, structure = optree.tree_flatten(arguments, none_is_leaf=True)
    places = [i for i, leaf in enumerate(leaves) if is_spec(leaf, is_tensor)]
    result_structure: Any = None

    def run(*tensors):
        nonlocal result_structure
        filled = list(leaves)
        for place, tensor in zip(places, tensors, strict=True):
            filled[place] = tensor
        full_args, full_kwargs = optree.tree_unflatten(structure, filled)
        results = fn(*full_args, **full_kwargs)
        flat, result_structure = optree.tree_flatten(results, none_is_leaf=True)
        return flat

    def at(size):
        specs = [
            Spec(
                tuple(size if d is None else int(d) for d in leaves[i].shape),
                standardize_dtype(leaves[i].dtype),
                bool(getattr(leaves[i], "sparse", False)),
            )
            for i in places
        ]
        return evaluate(run, specs)

    if any(None in tuple(leaves[i].shape) for i in places):
        first, second = _first_pair_that_runs(at)
        flat = [_common(a, b) for a, b in zip(first, second, strict=True)]
    else:
        flat = at(1)
    return optree.tree_unflatten(result_structure, flat)


def stand_in(spec: Spec, new: Callable, sparse_tensor: Callable) -> Any:
    """A tensor for a spec, made of `new(shape, dtype)`; a sparse one has one entry."""
    if not spec.sparse:
        return new(spec.sizes, spec.dtype)
    indices, values = new((1, len(spec.sizes)), "int32"), new((1,), spec.dtype)
    return sparse_tensor(indices, values, spec.sizes, None, True)


def _first_pair_that_runs(at: Callable[[int], list[Any]]) -> tuple[list, list]:
    errors = []
    for small, large in STAND_INS:
        try:
            return at(small), at(large)
        except Exception as e:
            errors.append(e)
    raise errors[0]


def _common(a: Any, b: Any) -> Any:
    if isinstance(a, Spec):
        pairs = zip(a.shape, b.shape, strict=True)
        return Spec(tuple(m if m == n else None for m, n in pairs), a.dtype, a.sparse)
    same = a is b or (type(a) is type(b) and bool(np.all(a == b)))
    return a if same else None
