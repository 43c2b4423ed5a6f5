"""The layer `Average` and its functional form."""

from hornbeam import ops
from hornbeam.layers.merging.merge import Merge


class Average(Merge):
    """Takes the mean of the inputs element by element.

    Input: a list of tensors whose shapes broadcast.

    >>> import hornbeam as keras
    >>> x1, x2 = keras.ops.array([[1.0, 2.0]]), keras.ops.array([[4.0, 5.0]])
    >>> [float(v) for v in keras.layers.Average()([x1, x2])[0]]
    [2.5, 3.5]
    """

    def call(self, inputs, mask=None):
        """Return the mean of all inputs."""
        return super().call(inputs) / len(inputs)

    def merge(self, x1, x2):
        """Return the combination of two inputs."""
        return ops.add(x1, x2)


def average(inputs, **kwargs):
    """Return `Average(**kwargs)(inputs)`."""
    return Average(**kwargs)(inputs)
