"""PyTorch: convolutions, windows, and what is faster than its composition."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from hornbeam.backends.functions import Function
from hornbeam.core import dtypes

from .arrays import FLOATS, cast, convert, dtype_of

Pairs = Sequence[tuple[int, int]]

_CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
_MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_MEAN = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def linear(x: Any, kernel: Any, bias: Any = None) -> torch.Tensor:
    """`x @ kernel + bias` over the last axis of `x`, as one product of matrices."""
    if bias is not None and type(x) is torch.Tensor and x.ndim == 2:
        dtype = x.dtype
        if dtype is kernel.dtype is bias.dtype and dtype in FLOATS:
            return torch.addmm(bias, x, kernel)
    if not (type(x) is torch.Tensor and x.dtype == kernel.dtype):
        x, kernel = _promoted(x, kernel)
    if bias is not None:
        bias = convert(bias)
    if not x.dtype.is_floating_point:  # the CPU has no integer `addmm`
        y = torch.tensordot(x, kernel, 1)
        return y if bias is None else y + bias
    if bias is not None and bias.dtype != x.dtype:
        return F.linear(x, kernel.T) + bias
    return F.linear(x, kernel.T, bias)


def general_conv(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    groups: int,
    data_format: str,
) -> torch.Tensor:
    """Correlation of `inputs` with a kernel of layout (*window, in / groups, out)."""
    inputs, kernel = _promoted(inputs, kernel)
    rank = inputs.ndim - 2
    x = _channels_second(inputs, data_format)
    if any(before != after for before, after in padding):
        x, around = F.pad(x, _flat(padding)), (0,) * rank
    else:
        around = tuple(before for before, _ in padding)
    # torch's slowest kernel, for small batches on one thread, wants it so (2.13).
    weight = kernel.permute(rank + 1, rank, *range(rank)).contiguous()
    y = _CONV[rank](x, weight, None, tuple(strides), around, tuple(dilation), groups)
    return _as_given(y, data_format)


def general_conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: Sequence[int],
    padding: Pairs,
    dilation: Sequence[int],
    data_format: str,
) -> torch.Tensor:
    """The transpose of a strided convolution, for a kernel (*window, out, in).

    `padding` says by how much the full result is cropped (negative: extended).
    """
    inputs, kernel = _promoted(inputs, kernel)
    rank = inputs.ndim - 2
    x = _channels_second(inputs, data_format)
    weight = kernel.permute(rank + 1, rank, *range(rank))
    common = [max(min(pair), 0) for pair in padding]
    y = _TRANSPOSED[rank](
        x, weight, None, tuple(strides), tuple(common), dilation=tuple(dilation)
    )
    rest = [(c - a, c - b) for c, (a, b) in zip(common, padding, strict=True)]
    if any(a or b for a, b in rest):
        y = F.pad(y, _flat(rest))
    return _as_given(y, data_format)


def window_max(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> torch.Tensor:
    """The maximum of every window; the padding never wins."""
    inputs = convert(inputs)
    x = _channels_second(inputs, data_format)
    rank = x.ndim - 2
    if any(a or b for a, b in padding):
        floating = x.dtype.is_floating_point
        lowest = float("-inf") if floating else torch.iinfo(x.dtype).min
        x = F.pad(x, _flat(padding), value=lowest)
    return _as_given(_MAX[rank](x, tuple(size), tuple(strides)), data_format)


def window_sum(
    inputs: Any,
    size: Sequence[int],
    strides: Sequence[int],
    padding: Pairs,
    data_format: str,
) -> torch.Tensor:
    """The sum of every window."""
    inputs = convert(inputs)
    x = _channels_second(inputs, data_format)
    rank = x.ndim - 2
    if any(a or b for a, b in padding):
        x = F.pad(x, _flat(padding))
    count = functools.reduce(lambda a, b: a * b, size)
    if x.device.type == "cpu" and x.dtype in (torch.float16, torch.bfloat16):
        # No half-precision kernel for volumes on a CPU.
        x = x.float()
    total = _MEAN[rank](x, tuple(size), tuple(strides)) * count
    return _as_given(total.to(inputs.dtype), data_format)


def _channels_second(x: torch.Tensor, data_format: str) -> torch.Tensor:
    return x.movedim(-1, 1) if data_format == "channels_last" else x


def _as_given(x: torch.Tensor, data_format: str) -> torch.Tensor:
    return x.movedim(1, -1) if data_format == "channels_last" else x


def _flat(padding: Pairs) -> list[int]:
    """Padding pairs as `F.pad` wants them: the last axis first."""
    return [n for pair in reversed(padding) for n in pair]


def _promoted(a: Any, b: Any) -> tuple[torch.Tensor, torch.Tensor]:
    a, b = convert(a), convert(b)
    if a.dtype == b.dtype:
        return a, b
    dtype = dtypes.result_type(dtype_of(a), dtype_of(b))
    return cast(a, dtype), cast(b, dtype)


def _floating(x: Any) -> torch.Tensor:
    x = x if isinstance(x, torch.Tensor) else convert(x)
    if x.dtype.is_floating_point or x.dtype.is_complex:
        return x
    return cast(x, dtypes.result_type(dtype_of(x), float))


def _on_floats(fn: Callable) -> Callable:
    def run(x):
        return fn(_floating(x))

    return run


def relu(x: Any) -> torch.Tensor:
    """`max(x, 0)`."""
    return torch.relu(_number(x))


def relu6(x: Any) -> torch.Tensor:
    """`min(max(x, 0), 6)`."""
    return F.relu6(_number(x))


def _number(x: Any) -> torch.Tensor:
    """`x` as a tensor; booleans are int32."""
    x = x if isinstance(x, torch.Tensor) else convert(x)
    return x.to(torch.int32) if x.dtype is torch.bool else x


sigmoid: Function = _on_floats(torch.sigmoid)
silu: Function = _on_floats(F.silu)
log_sigmoid: Function = _on_floats(F.logsigmoid)
selu: Function = _on_floats(F.selu)
hard_sigmoid: Function = _on_floats(F.hardsigmoid)
hard_silu: Function = _on_floats(F.hardswish)
mish: Function = _on_floats(F.mish)


def softplus(x: Any) -> torch.Tensor:
    """`log(1 + exp(x))`, without torch's switch to x at 20."""
    x = _floating(x)
    return torch.logaddexp(x, torch.zeros((), dtype=x.dtype, device=x.device))


def elu(x: Any, alpha: Any = 1.0) -> torch.Tensor:
    """`x` above zero, `alpha * (exp(x) - 1)` below."""
    x = _floating(x)
    if isinstance(alpha, torch.Tensor):
        return torch.where(x > 0, x, alpha * torch.expm1(x.clamp(max=0)))
    return F.elu(x, alpha)


def gelu(x: Any, approximate: bool = True) -> torch.Tensor:
    """`x` times the normal distribution function of `x`."""
    return F.gelu(_floating(x), approximate="tanh" if approximate else "none")


def softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> torch.Tensor:
    """`exp(x)` divided by its sum over `axis`."""
    x = _floating(x)
    if isinstance(axis, int):
        return torch.softmax(x, axis)
    return torch.exp(log_softmax(x, axis))


def log_softmax(x: Any, axis: int | tuple[int, ...] | None = -1) -> torch.Tensor:
    """`x - log(sum(exp(x)))` over `axis`."""
    x = _floating(x)
    if isinstance(axis, int):
        return torch.log_softmax(x, axis)
    axes = tuple(range(x.ndim)) if axis is None else axis
    return x - torch.logsumexp(x, axes, keepdim=True)


def normalize_last(x: Any, gamma: Any, beta: Any, epsilon: float) -> torch.Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` over the last axis."""
    x = _floating(x)
    gamma, beta = _like(gamma, x), _like(beta, x)
    return F.layer_norm(x, x.shape[-1:], gamma, beta, epsilon)


def normalize_batch(x: Any, gamma: Any, beta: Any, axis: int, epsilon: float) -> Any:
    """Batch normalization by the moments of `x`; the outputs and these moments."""
    x = _floating(x)
    last = axis in (-1, x.ndim - 1)
    # As rows of channels, which the kernel takes without moving them.
    rows = x.reshape(-1, x.shape[-1]) if last else x.movedim(axis, 1)
    outputs, mean, factor = torch.native_batch_norm(
        rows, _like(gamma, x), _like(beta, x), None, None, True, 0.0, epsilon
    )
    outputs = outputs.reshape(x.shape) if last else outputs.movedim(1, axis)
    variance = factor.detach() ** -2 - epsilon
    return outputs, mean.detach(), variance.clamp(min=0)


def rms_normalize_last(x: Any, scale: Any, epsilon: float) -> torch.Tensor:
    """`x / sqrt(mean(x**2) + epsilon) * scale` over the last axis."""
    x = _floating(x)
    return F.rms_norm(x, x.shape[-1:], _like(scale, x), epsilon)


def _like(parameter: Any, x: torch.Tensor) -> torch.Tensor | None:
    return None if parameter is None else cast(parameter, x.dtype)


def attention(
    query: Any, key: Any, value: Any, bias: Any, scale: Any, is_causal: Any, flash: Any
) -> Any:
    """Softmax attention over (batch, length, heads, width) with an additive bias."""
    query, key, value = (convert(x).transpose(1, 2) for x in (query, key, value))
    result = F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=bias,
        is_causal=is_causal,
        scale=scale,
        enable_gqa=key.shape[1] != query.shape[1],
    )
    return result.transpose(1, 2)
