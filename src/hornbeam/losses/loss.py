"""Loss: the base class, and the one place where losses are reduced over a batch.

A loss computes one value for each sample (or timestep); the reduction turns them into
a scalar. Sample weights, the mask of the output and the mask of a padded batch all come
together in `reduce_values`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hornbeam import ops
from hornbeam.core import config, dtypes, tree
from hornbeam.core.configurable import Configurable
from hornbeam.core.errors import check_choice
from hornbeam.core.masking import get_keras_mask
from hornbeam.core.naming import auto_name
from hornbeam.core.scopes import batch_mask
from hornbeam.typing import Config, DTypePolicyLike, Reduction, Tensor, TensorLike

Function = TypeVar("Function", bound=Callable)

REDUCTIONS = (
    "sum_over_batch_size",
    "sum",
    "mean",
    "mean_with_sample_weight",
    "none",
    None,
)


class Loss(Configurable):
    """The base of losses: subclasses write `call(y_true, y_pred)`.

    `call` gives one value for each sample; calling the loss weighs and reduces them.

    Args:
        name: default: generated from the class name.
        reduction: "sum_over_batch_size" or "mean" divide the weighted sum by the
            number of values, "mean_with_sample_weight" by the sum of the weights;
            "sum" adds up; "none" or None keeps the values.
        dtype: dtype of the computation, or a dtype policy (its compute dtype);
            default `floatx()`.

    >>> import hornbeam as keras
    >>> class Quartic(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return (y_true - y_pred) ** 4
    >>> float(Quartic()([0.0, 1.0], [2.0, 1.0]))
    8.0
    """

    _set_by_init: str = "_dtype"

    def __init__(
        self,
        name: str | None = None,
        reduction: Reduction = "sum_over_batch_size",
        dtype: DTypePolicyLike = None,
    ):
        self.name: str = name or auto_name(type(self).__name__)
        self.reduction: Reduction = check_choice(
            type(self).__name__, "reduction", reduction, REDUCTIONS
        )
        self._has_default_dtype = dtype is None
        self._dtype = standardize_compute_dtype(dtype)

    @property
    def dtype(self) -> str:
        """The dtype of the computation."""
        return self._dtype

    @property
    def accepts_padding(self) -> bool:
        """Whether a padded and masked batch gives the same loss as the batch alone.

        True for the library's losses; unknown for others.
        """
        return is_ours(type(self))

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each sample; subclasses write this."""
        raise NotImplementedError(f"{type(self).__name__} must implement `call`.")

    def target_mask(self, y_true: Tensor, y_pred: Tensor) -> Tensor | None:
        """Return which targets count, or None for all of them."""
        return None

    def __call__(
        self,
        y_true: TensorLike | dict[str, Any],
        y_pred: TensorLike | dict[str, Any],
        sample_weight: TensorLike | None = None,
    ) -> Tensor:
        """Return the reduced loss of `y_pred` for the targets `y_true`."""
        mask = get_keras_mask(y_pred)
        y_true = _map_tensors(self._convert_target, y_true)
        y_pred = _map_tensors(self._convert, y_pred)
        values = self._convert(self.call(y_true, y_pred))
        return reduce_values(
            values,
            self.reduction,
            sample_weight=sample_weight,
            masks=(mask, self.target_mask(y_true, y_pred)),
        )

    def _convert(self, x):
        return ops.convert_to_tensor(x, dtype=self._dtype)

    _convert_target = _convert

    def get_config(self) -> Config:
        """Return the arguments that make an equal loss."""
        settings = super().get_config()
        if self._has_default_dtype:
            settings.pop("dtype", None)
        return settings

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class LossFunctionWrapper(Loss):
    """A loss made of a function `fn(y_true, y_pred, **kwargs)`."""

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = None,
        dtype: DTypePolicyLike = None,
        **kwargs: Any,
    ):
        name = name or getattr(fn, "__name__", None)
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self.kwargs = kwargs

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Call the function."""
        if not isinstance(y_pred, list | tuple | dict):
            y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        return returned(self, self.fn(y_true, y_pred, **self.kwargs))

    def structure_key(self) -> tuple[Any, ...]:
        """Return what a program depends on besides the arguments of `__init__`."""
        return tuple((name, repr(value)) for name, value in self.kwargs.items())

    @property
    def accepts_padding(self) -> bool:
        """The library's functions treat rows separately; others may not."""
        return is_ours(self.fn)

    def _convert_target(self, x):
        if getattr(self.fn, "takes_class_indices", False):
            return keep_integers(x, self._dtype)
        return self._convert(x)

    def get_config(self) -> Config:
        """Return the arguments that make an equal loss."""
        return {**super().get_config(), **self.kwargs}


def _map_tensors(convert, x):
    """Convert the tensors of a nest; lists of numbers become one tensor."""
    if not isinstance(x, list | tuple | dict):
        return convert(x)
    if not any(hasattr(leaf, "shape") for leaf in tree.flatten(x)):
        return convert(x)
    return tree.map_structure(convert, x)


def is_ours(target: Any) -> bool:
    """Whether a class or function belongs to this library."""
    return str(getattr(target, "__module__", "")).partition(".")[0] == "hornbeam"


def standardize_compute_dtype(dtype: DTypePolicyLike) -> str:
    """Return the name of a dtype, of a policy's compute dtype, or of `floatx()`."""
    if dtype is None:
        return config.floatx()
    return dtypes.standardize_dtype(getattr(dtype, "compute_dtype", dtype))


def takes_class_indices(fn: Function) -> Function:
    """Mark a function whose targets are integers: they keep their dtype."""
    marked: Any = fn
    marked.takes_class_indices = True
    return fn


def keep_integers(x: TensorLike, dtype: str) -> Tensor:
    """Return class indices as they are, anything else as `dtype`.

    bfloat16 represents integers up to 256 only, float16 up to 2048.
    """
    targets = ops.convert_to_tensor(x)
    if dtypes.is_int_dtype(dtypes.standardize_dtype(targets.dtype)):
        return targets
    return ops.cast(targets, dtype)


def squeeze_or_expand_to_same_rank(
    x1: Tensor, x2: Tensor, expand_rank_1: bool = True
) -> tuple[Tensor, Tensor]:
    """Give `x1` and `x2` the same rank where one has an extra last axis of size 1.

    A vector beside a column becomes a column; otherwise the size 1 goes away.
    """
    difference = len(x1.shape) - len(x2.shape)
    if difference == -1:
        x2, x1 = _match(x2, x1, expand_rank_1)
    elif difference == 1:
        x1, x2 = _match(x1, x2, expand_rank_1)
    return x1, x2


def _match(longer, shorter, expand_rank_1):
    if longer.shape[-1] != 1:
        return longer, shorter
    if expand_rank_1 and len(shorter.shape) == 1:
        return longer, ops.expand_dims(shorter, axis=-1)
    return ops.squeeze(longer, axis=-1), shorter


def align(weight: Tensor, values: Tensor, name: str = "sample_weight") -> Tensor:
    """Return `weight` with the axes that make it multiply the samples of `values`.

    Weights of fewer axes belong to the first axes of the values: one weight for each
    sample also weighs every timestep of it.
    """
    shape, target = tuple(weight.shape), tuple(values.shape)
    if len(shape) == len(target) + 1 and shape[-1] == 1:
        weight, shape = ops.squeeze(weight, axis=-1), shape[:-1]
    missing = len(target) - len(shape)
    if missing > 0 and shape and _fits(shape, target[: len(shape)]):
        for _ in range(missing):
            weight = ops.expand_dims(weight, axis=-1)
        return weight
    if missing >= 0 and _fits(shape, target[missing:]):
        return weight
    raise ValueError(
        f"`{name}` of shape {shape} does not fit loss or metric values of shape "
        f"{target}. Expected one weight for each sample, shape {target[:1]}, or a "
        f"shape that broadcasts to {target}."
    )


def _fits(shape, target):
    return all(
        size == 1 or other == 1 or None in (size, other) or size == other
        for size, other in zip(shape, target, strict=True)
    )


def reduce_values(
    values: Tensor,
    reduction: Reduction,
    sample_weight: TensorLike | None = None,
    masks: Sequence[Tensor | None] = (),
) -> Tensor:
    """Weigh the values and reduce them to a scalar.

    Means count unmasked values only. While a padded batch runs, its mask is applied
    too.

    Args:
        values: the loss values; the first axis is the batch.
        reduction: see `Loss`.
        sample_weight: a tensor, an array, a number or None.
        masks: tensors of zeros and ones, or None for no mask.
    """
    if len(values.shape) > 0:
        masks = (*masks, batch_mask())
    mask = _combine(masks, values)
    weight = None
    if sample_weight is not None:
        weight = ops.convert_to_tensor(sample_weight, dtype=values.dtype)
        weight = align(weight, values)
        values = values * weight
    if mask is not None:
        values = values * mask
    if reduction in ("sum_over_batch_size", "mean"):
        mean = ops.mean(values)
        return mean if mask is None else _divide(mean, ops.mean(mask))
    if reduction == "sum":
        return ops.sum(values)
    if reduction == "mean_with_sample_weight":
        return _mean_with_sample_weight(values, weight, mask)
    return values


def _combine(masks, values):
    combined = None
    for mask in masks:
        if mask is None:
            continue
        mask = ops.convert_to_tensor(mask)
        if is_used_up(mask, values):
            continue
        mask = align(ops.cast(mask, values.dtype), values, "mask")
        combined = mask if combined is None else combined * mask
    return combined


def is_used_up(mask: Tensor, values: Tensor) -> bool:
    """Whether `values` are means over axes of the mask, so that it is none of them."""
    return any(size != 1 for size in mask.shape[len(values.shape) :])


def _mean_with_sample_weight(values, weight, mask):
    if weight is None:
        mean = ops.mean(values)
        return mean if mask is None else _divide(mean, ops.mean(mask))
    if mask is not None and len(weight.shape) > 0:
        weight = weight * mask
    return _divide(ops.sum(values), ops.sum(weight))


def _divide(total, count):
    """Return the quotient, or 0 where nothing was counted."""
    return ops.divide_no_nan(total, count)


def returned(owner: Any, values: Any) -> Any:
    """Return what the function of a loss or metric gave, if that can be a tensor."""
    if values is None or isinstance(values, str):
        raise TypeError(
            f"The function of {type(owner).__name__} {owner.name!r} must return a "
            f"tensor, one value per sample. Received: {values!r}. Does it end with "
            "`return`?"
        )
    return values


def valid_rows(x: Tensor) -> Tensor:
    """Return `x` with the rows zeroed that only pad the batch.

    For losses that sum over the rows themselves.
    """
    mask = batch_mask()
    if mask is None:
        return x
    return x * align(ops.cast(mask, x.dtype), x, "mask")
