"""Batch renormalisation: the part of BatchNormalization that few use.

In training the batch's statistics are corrected towards the moving ones by
`r = std / moving_std` and `d = (mean - moving_mean) / moving_std`, both treated as
constants: `y = gamma * (normalised * r + d) + beta`. Source: Ioffe, arXiv:1702.03275.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from hornbeam.typing import Tensor


_KEYS = ("rmax", "rmin", "dmax")


def check_clipping(clipping: Mapping[str, float] | None) -> dict[str, float] | None:
    """Return the argument `renorm_clipping` if it makes sense."""
    if clipping is None:
        return None
    unknown = sorted(set(clipping) - set(_KEYS))
    if unknown:
        raise ValueError(
            "Argument `renorm_clipping` of BatchNormalization takes the keys "
            f"{', '.join(_KEYS)}. Received invalid keys: {unknown}"
        )
    low, high, shift = (clipping.get(key) for key in ("rmin", "rmax", "dmax"))
    if low is not None and high is not None and high < low:
        raise ValueError(
            "Argument `renorm_clipping` of BatchNormalization: rmax should be at least "
            f"rmin. Received: rmax={high}, rmin={low}"
        )
    if shift is not None and shift < 0:
        raise ValueError(
            "Argument `renorm_clipping` of BatchNormalization: dmax should be "
            f"non-negative. Received: dmax={shift}"
        )
    return dict(clipping)


def add_renorm_weights(layer: Any, channels: int) -> None:
    """Make the moving statistics that the corrections compare with."""

    def root_of_variance(shape, dtype=None):
        variance = layer.moving_variance_initializer(shape, dtype=dtype)
        return ops.sqrt(variance)

    layer.moving_stddev = layer.add_statistic(
        "moving_stddev", root_of_variance, channels
    )
    layer.renorm_mean = layer.add_statistic(
        "renorm_mean", layer.moving_mean_initializer, channels
    )
    layer.renorm_stddev = layer.add_statistic(
        "renorm_stddev", root_of_variance, channels
    )


def corrected_affine(
    layer: Any, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor
) -> tuple[Tensor, Tensor]:
    """Return scale and offset with the corrections in them; update the statistics."""
    stddev = ops.sqrt(variance + layer.epsilon)
    moving_mean = ops.cast(layer.renorm_mean, mean.dtype)
    moving_stddev = ops.cast(layer.renorm_stddev, mean.dtype)
    r = ops.stop_gradient(stddev / moving_stddev)
    d = ops.stop_gradient((mean - moving_mean) / moving_stddev)
    limits = layer.renorm_clipping or {}
    if limits.get("rmax") is not None:
        r = ops.minimum(r, limits["rmax"])
    if limits.get("rmin") is not None:
        r = ops.maximum(r, limits["rmin"])
    if limits.get("dmax") is not None:
        d = ops.clip(d, -limits["dmax"], limits["dmax"])
    layer.follow(layer.moving_stddev, stddev, layer.momentum)
    layer.moving_variance.assign(ops.square(layer.moving_stddev) - layer.epsilon)
    layer.follow(layer.renorm_mean, mean, layer.renorm_momentum)
    layer.follow(layer.renorm_stddev, stddev, layer.renorm_momentum)
    if gamma is not None:
        r, d = r * gamma, d * gamma
    return r, d if beta is None else d + beta
