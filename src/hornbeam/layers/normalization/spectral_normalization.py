"""A wrapper that holds a kernel's largest singular value at 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core.errors import check_number
from hornbeam.layers.core.wrapper import Wrapper
from hornbeam.layers.input_spec import InputSpec
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.core.variable import Variable
    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.layers.layer import Layer
    from hornbeam.typing import InputShape, Shape, Tensor


class SpectralNormalization(Wrapper):
    """Divides the wrapped layer's kernel by its largest singular value in training.

    Each training call makes `power_iterations` steps of the power method on the kernel
    `W`, seen as a matrix with its last axis kept: `v = norm(u W^T)`, `u = norm(v W)`,
    `sigma = v W u^T`, and assigns `W / sigma`. Source: Miyato et al., "Spectral
    normalization for generative adversarial networks", arXiv:1802.05957.

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: steps in each call. Defaults to 1.

    >>> import hornbeam as keras
    >>> layer = keras.layers.SpectralNormalization(keras.layers.Dense(2))
    >>> layer(keras.ops.ones((3, 4)), training=True).shape
    (3, 2)
    """

    def __init__(
        self, layer: Layer, power_iterations: int = 1, **kwargs: Unpack[LayerArguments]
    ) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations: int = check_number(
            "SpectralNormalization",
            "power_iterations",
            power_iterations,
            low=1,
            integer=True,
        )

    def build(self, input_shape: InputShape) -> None:
        """Build the wrapped layer and make the vector of the power method."""
        super().build(input_shape)
        self.input_spec = InputSpec(shape=[None, *input_shape[1:]])
        self.kernel: Any = getattr(self.layer, "kernel", None)
        if self.kernel is None:
            self.kernel = getattr(self.layer, "embeddings", None)
        if self.kernel is None:
            raise ValueError(
                "SpectralNormalization expects a layer with a `kernel` or `embeddings`."
                f" Received: {type(self.layer).__name__} {self.layer.name!r}."
            )
        self.vector_u: Variable = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer="random_normal",
            trainable=False,
        )

    @overridable
    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        """Normalise the kernel if training, and call the wrapped layer."""
        if training:
            vector_u, kernel = self.normalized_weights()
            self.vector_u.assign(ops.cast(vector_u, self.vector_u.dtype))
            self.kernel.assign(ops.cast(kernel, self.kernel.dtype))
        return ops.cast(self.layer(inputs), inputs.dtype)

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """Return the new vector `u` and the kernel divided by its singular value."""
        kernel = ops.convert_to_tensor(self.kernel)
        w = ops.stop_gradient(ops.reshape(kernel, (-1, kernel.shape[-1])))
        u = ops.convert_to_tensor(self.vector_u)
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(w)), epsilon=1e-12)
            u = ops.normalize(ops.matmul(v, w), epsilon=1e-12)
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        w = ops.reshape(kernel, (-1, kernel.shape[-1]))
        sigma = ops.matmul(ops.matmul(v, w), ops.transpose(u))
        return u, kernel / ops.reshape(sigma, ())

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the wrapped layer's output shape."""
        return self.layer.compute_output_shape(input_shape)
