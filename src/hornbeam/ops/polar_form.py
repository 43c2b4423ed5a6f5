"""Complex numbers from their polar form."""

from __future__ import annotations

from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.arithmetic import to_float
from hornbeam.ops.declare import broadcast_shapes, composite
from hornbeam.ops.fourier import to_complex
from hornbeam.ops.numpy import cos, sin
from hornbeam.typing import Tensor, TensorLike


def _polar_spec(a):
    modulus, angle = a["abs_"], a["angle"]
    wide = "float64" in (modulus.dtype, angle.dtype)
    shape = broadcast_shapes(tuple(modulus.shape), tuple(angle.shape))
    return KerasTensor(shape, "complex128" if wide else "complex64")


@composite(rule=_polar_spec)
def polar(abs_: TensorLike, angle: TensorLike) -> Tensor:
    """The complex number of absolute value `abs_` and argument `angle` (radians).

    >>> import hornbeam as keras
    >>> complex(keras.ops.polar(2.0, 0.0))
    (2+0j)
    """
    modulus, angle = to_float(abs_), to_float(angle)
    return to_complex(modulus * cos(angle), modulus * sin(angle))
