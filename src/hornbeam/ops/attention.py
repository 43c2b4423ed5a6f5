"""Linear maps and attention."""

from __future__ import annotations

from hornbeam import backends
from hornbeam.core import dtypes
from hornbeam.core.scopes import note_road
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.activation import softmax
from hornbeam.ops.arithmetic import to_float
from hornbeam.ops.core import cast, convert_to_tensor
from hornbeam.ops.declare import composite, is_native, primitive
from hornbeam.ops.numpy import arange, einsum, repeat, tanh, where
from hornbeam.typing import DTypeLike, Tensor, TensorLike


def _linear_spec(a):
    x, kernel = a["x"], a["kernel"]
    size, expected = x.shape[-1], kernel.shape[0]
    if size is not None and size != expected:
        raise ValueError(
            f"linear: the last axis of `x` must have size {expected}, as the kernel of "
            f"shape {tuple(kernel.shape)} needs. Received: x of shape {tuple(x.shape)}"
        )
    dtype = dtypes.result_type(x.dtype, kernel.dtype)
    return KerasTensor((*x.shape[:-1], kernel.shape[1]), dtype)


@primitive(_linear_spec)
def linear(x: TensorLike, kernel: TensorLike, bias: TensorLike | None = None) -> Tensor:
    """`x @ kernel + bias` over the last axis, as one product of matrices.

    Args:
        x: a tensor `(..., n)`.
        kernel: a matrix `(n, m)`.
        bias: a vector `(m,)`. Default: None.
    """


def _check_attention(query, key, value):
    for name, x in (("query", query), ("key", key), ("value", value)):
        if len(x.shape) != 4:
            raise ValueError(
                f"dot_product_attention: `{name}` must have 4 axes (batch, length, "
                f"heads, width). Received: {name} of shape {tuple(x.shape)}"
            )
    widths = query.shape[-1], key.shape[-1]
    if None not in widths and widths[0] != widths[1]:
        raise ValueError(
            "dot_product_attention: `query` and `key` must have the same width, their "
            f"last size. Received: {widths[0]} and {widths[1]}"
        )


def _attention_spec(a):
    query, value = a["query"], a["value"]
    _check_attention(query, a["key"], value)
    dtype = dtypes.result_type(query.dtype, a["key"].dtype, value.dtype)
    return KerasTensor((*query.shape[:-1], value.shape[-1]), dtype)


@composite(rule=_attention_spec)
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """`softmax(scale * query @ key + bias) @ value` (Vaswani et al., 2017).

    Args:
        query: `(batch, targets, heads, width)`.
        key: `(batch, sources, key heads, width)`; the heads are a multiple of the key
            heads; each key head serves several query heads.
        value: `(batch, sources, key heads, width)`.
        bias: added to the logits; broadcasts to `(batch, heads, targets, sources)`.
        mask: booleans of the same shape; False takes a source out.
        scale: the factor of the logits. Default: `1 / sqrt(width)`.
        is_causal: whether a target attends only to itself and earlier sources.
            Default: False.
        flash_attention: whether a fused kernel must be used. Default: None, the
            engine's choice.
        attn_logits_soft_cap: logits become `cap * tanh(logits / cap)`. Default: None.

    Returns:
        A tensor `(batch, targets, heads, width)`.

    >>> import hornbeam as keras
    >>> x = keras.ops.ones((1, 5, 2, 4))
    >>> keras.ops.dot_product_attention(x, x, x).shape
    (1, 5, 2, 4)
    """
    tensors = to_float(query), to_float(key), to_float(value)
    dtype = dtypes.result_type(*(x.dtype for x in tensors))
    query, key, value = (cast(x, dtype) for x in tensors)
    _check_attention(query, key, value)
    if scale is None:
        scale = query.shape[-1] ** -0.5
    bias = None if bias is None else cast(bias, query.dtype)
    if mask is not None:
        keep = convert_to_tensor(mask)
        if not dtypes.is_bool_dtype(keep.dtype):
            keep = cast(keep, "bool")
        bias = where(keep, 0 if bias is None else bias, lowest(query.dtype))
        bias = cast(bias, query.dtype)
    if attn_logits_soft_cap is not None:
        note_road("by its formula, as its logits are capped")
        return _attention(
            query, key, value, bias, scale, is_causal, attn_logits_soft_cap
        )
    if bias is not None and is_causal:
        bias = _causal(bias + cast(0, query.dtype), query, key)
        is_causal = False
    name = backends.current().name
    note_road(
        f"the attention of {name!r}"
        if is_native(attention)
        else f"by its formula, as {name!r} has no attention of its own"
    )
    return attention(query, key, value, bias, scale, is_causal, bool(flash_attention))


def lowest(dtype: DTypeLike) -> float:
    """Return a number far below all logits, whose double is still finite."""
    return -1e4 if dtypes.standardize_dtype(dtype) == "float16" else -1e30


def _causal(logits, query, key):
    targets, sources = arange(query.shape[1]), arange(key.shape[1])
    return where(targets[:, None] >= sources[None, :], logits, lowest(logits.dtype))


@composite
def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor,
    scale: float,
    is_causal: bool,
    flash: bool,
) -> Tensor:
    """Softmax attention with an additive bias; engines have faster versions."""
    return _attention(query, key, value, bias, scale, is_causal, None)


def _attention(query, key, value, bias, scale, is_causal, cap):
    weights = attention_weights(query, key, bias, scale, is_causal, cap)
    return weighted_values(weights, value)


def attention_weights(
    query: Tensor,
    key: Tensor,
    bias: Tensor,
    scale: float,
    is_causal: bool,
    cap: float | None = None,
) -> Tensor:
    """Return the softmax of the logits, `(batch, heads, targets, sources)`."""
    logits = einsum("btnh,bsnh->bnts", query, _shared(key, query.shape[2])) * scale
    if cap is not None:
        logits = cap * tanh(logits / cap)
    if bias is not None:
        logits = logits + bias
    if is_causal:
        logits = _causal(logits, query, key)
    wide = cast(logits, dtypes.result_type(logits.dtype, "float32"))
    return cast(softmax(wide), query.dtype)


def weighted_values(weights: Tensor, value: Tensor) -> Tensor:
    """Return the values averaged by weights, `(batch, targets, heads, width)`."""
    return einsum("bnts,bsnh->btnh", weights, _shared(value, weights.shape[1]))


def _shared(x, heads):
    """Repeat each head of keys or values for the query heads that it serves."""
    times = heads // x.shape[2]
    return x if times == 1 else repeat(x, times, axis=2)
