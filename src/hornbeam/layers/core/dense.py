"""The densely connected layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import activations
from hornbeam.layers.arguments import (
    keep_weight_arguments,
    known_size,
    positive_integer,
    reject_unsupported,
)
from hornbeam.layers.input_spec import InputSpec
from hornbeam.layers.low_rank import AdaptedWeight, LowRank
from hornbeam.ops.attention import linear
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import NamedArguments
    from hornbeam.typing import (
        ActivationLike,
        ConstraintLike,
        InitializerLike,
        InputShape,
        OptionalVariable,
        RegularizerLike,
        Shape,
        Tensor,
    )


class Dense(LowRank):
    """A linear map of the last axis: `activation(inputs @ kernel + bias)`.

    Args:
        units: size of the last axis of the output.
        activation: function of the result. Default: none.
        use_bias: whether to add a bias. Defaults to True.
        kernel_initializer: for the `(input size, units)` matrix.
        bias_initializer: for the `(units,)` vector.
        kernel_regularizer: penalty on the kernel.
        bias_regularizer: penalty on the bias.
        activity_regularizer: penalty on the output.
        kernel_constraint: projection of the kernel after each update.
        bias_constraint: projection of the bias after each update.
        lora_rank: rank of the factors that are trained in place of the kernel; see
            `enable_lora`. Default: none, the kernel itself is trained.
        lora_alpha: factor of their product, times the rank. Default: the rank.
        quantization_config: not supported; only None.

    Input shape: `(batch, ..., input size)`. Output shape: `(batch, ..., units)`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Dense(3, activation="relu")
    >>> layer(keras.ops.ones((2, 5))).shape
    (2, 3)
    """

    kernel: AdaptedWeight = AdaptedWeight()
    bias: OptionalVariable
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any

    def __init__(
        self,
        units: int,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: None = None,
        **kwargs: Unpack[NamedArguments],
    ) -> None:
        super().__init__(
            activity_regularizer=activity_regularizer,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            **kwargs,
        )
        reject_unsupported(self, quantization_config=quantization_config)
        self.units: int = positive_integer(self, "units", units)
        self.activation: Any = activations.get(activation)
        self.use_bias = use_bias
        keep_weight_arguments(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: InputShape) -> None:
        """Make the kernel and the bias for inputs of this shape."""
        size = known_size(self, input_shape, -1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(size, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})

    @overridable
    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return `activation(inputs @ kernel + bias)`."""
        outputs = linear(inputs, self.kernel, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the input's shape with `units` as the last size."""
        return (*input_shape[:-1], self.units)
