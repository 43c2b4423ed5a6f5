"""The layer `Maximum` and its functional form."""

from hornbeam import ops
from hornbeam.layers.merging.merge import MaskedMerge


class Maximum(MaskedMerge):
    """Takes the largest of the inputs element by element.

    A step that an input's mask marks False is left out.

    Input: a list of tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Maximum()([x1, x2])[0]]
    [4.0, 5.0]
    """

    def merge(self, x1, x2):
        """Return the combination of two inputs."""
        return ops.maximum(x1, x2)


def maximum(inputs, **kwargs):
    """Return `Maximum(**kwargs)(inputs)`."""
    return Maximum(**kwargs)(inputs)
