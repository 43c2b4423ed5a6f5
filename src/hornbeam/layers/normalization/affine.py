"""What the normalisations share: the trained scale and offset, and precision."""

from hornbeam import ops
from hornbeam.layers.arguments import keep_weight_arguments

HALF_PRECISION = ("float16", "bfloat16")


def keep_affine_arguments(layer, center, scale, **identifiers):
    """Store the arguments of the scale `gamma` and the offset `beta`."""
    layer.center = center
    layer.scale = scale
    keep_weight_arguments(layer, **identifiers)


def add_affine_weights(layer, shape, offset=True):
    """Make `layer.gamma` if it scales, and `layer.beta` if it centers."""
    layer.gamma = layer.beta = None
    if layer.scale:
        layer.gamma = layer.add_weight(
            name="gamma",
            shape=shape,
            initializer=layer.gamma_initializer,
            regularizer=layer.gamma_regularizer,
            constraint=layer.gamma_constraint,
        )
    if layer.center and offset:
        layer.beta = layer.add_weight(
            name="beta",
            shape=shape,
            initializer=layer.beta_initializer,
            regularizer=layer.beta_regularizer,
            constraint=layer.beta_constraint,
        )


def in_full_precision(x):
    """Return `x`, or `x` as float32 where sums over it would lose too much."""
    if x is not None and x.dtype in HALF_PRECISION:
        return ops.cast(x, "float32")
    return x
