"""The layer `Minimum` and its functional form."""

from hornbeam import ops
from hornbeam.layers.merging.merge import MaskedMerge


class Minimum(MaskedMerge):
    """Takes the smallest of the inputs element by element.

    A step that an input's mask marks False is left out.

    Input: a list of tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Minimum()([x1, x2])[0]]
    [1.0, 2.0]
    """

    def merge(self, x1, x2):
        """Return the combination of two inputs."""
        return ops.minimum(x1, x2)


def minimum(inputs, **kwargs):
    """Return `Minimum(**kwargs)(inputs)`."""
    return Minimum(**kwargs)(inputs)
