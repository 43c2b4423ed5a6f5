"""The layer `Add` and its functional form."""

from hornbeam import ops
from hornbeam.layers.merging.merge import Merge


class Add(Merge):
    """Adds the inputs element by element.

    Input: a list of tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Add()([x1, x2])[0]]
    [5.0, 7.0]
    """

    def merge(self, x1, x2):
        """Return the combination of two inputs."""
        return ops.add(x1, x2)


def add(inputs, **kwargs):
    """Return `Add(**kwargs)(inputs)`."""
    return Add(**kwargs)(inputs)
