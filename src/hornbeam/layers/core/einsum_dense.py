"""A dense layer whose contraction is written as an einsum equation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hornbeam import activations, initializers, ops
from hornbeam.layers.arguments import keep_weight_arguments, reject_unsupported
from hornbeam.layers.low_rank import AdaptedWeight, LowRank
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
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


_FORM = re.compile(
    r"(?P<left>\.\.\.)?(?P<inputs>[A-Za-z]+)(?P<right>\.\.\.)?"
    r",(?P<kernel>[A-Za-z]+)->"
    r"(\.\.\.)?(?P<outputs>[A-Za-z]*)(\.\.\.)?"
)


class EinsumDense(LowRank):
    """A dense layer for tensors of any rank: `activation(einsum(equation) + bias)`.

    Args:
        equation: `"ab,bc->ac"`: the input's letters, the kernel's, the output's. An
            ellipsis before or after the letters of input and output stands for axes
            that are left alone.
        output_shape: sizes of the output without the batch; an int, or a tuple in
            which None stands for a size of the input. With an ellipsis before the
            letters, the sizes of the output's letters.
        activation: function of the result. Default: none.
        bias_axes: letters of the output along which there is a bias; None: no bias.
        kernel_initializer, kernel_regularizer, kernel_constraint: for the kernel.
        bias_initializer, bias_regularizer, bias_constraint: for the bias.
        lora_rank: rank of the factors that are trained in place of the kernel; see
            `enable_lora`. Default: none, the kernel itself is trained.
        lora_alpha: factor of their product, times the rank. Default: the rank.
        gptq_unpacked_column_size, quantization_config: not supported; only None.

    >>> import hornbeam as keras
    >>> heads = keras.layers.EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de")
    >>> heads(keras.ops.ones((3, 5, 8))).shape
    (3, 5, 2, 4)
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
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: ActivationLike = None,
        bias_axes: str | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: None = None,
        quantization_config: None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs)
        reject_unsupported(self, quantization_config=quantization_config)
        self.equation = equation
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        self.output_shape: Shape = tuple(output_shape)
        self.activation: Any = activations.get(activation)
        self.bias_axes = bias_axes
        keep_weight_arguments(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape: InputShape) -> None:
        """Make the kernel and the bias for inputs of this shape."""
        shapes = self._shapes(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=shapes.kernel,
            initializer=_with_axes(
                self.kernel_initializer, shapes.contracted, shapes.produced
            ),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if shapes.bias is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=shapes.bias,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    @overridable
    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """Return the contraction of the inputs with the kernel."""
        outputs = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def compute_output_shape(self, input_shape: InputShape) -> Shape:
        """Return the shape that the equation gives."""
        return self._shapes(input_shape).outputs

    def _shapes(self, input_shape):
        return einsum_shapes(
            self.equation, self.bias_axes, tuple(input_shape), self.output_shape
        )


class EinsumShapes(NamedTuple):
    """The shapes in an equation; `contracted` and `produced` are axes of the kernel."""

    kernel: Shape
    bias: Shape | None
    outputs: Shape
    contracted: list[int]
    produced: list[int]


def einsum_shapes(
    equation: str, bias_axes: str | None, input_shape: Shape, output_shape: Shape
) -> EinsumShapes:
    """Return the shapes of an einsum layer's kernel, bias and output."""
    form = _FORM.fullmatch(equation.replace(" ", ""))
    if form is None or (form["left"] and form["right"]):
        raise ValueError(
            f"Invalid equation {equation!r} of EinsumDense. Expected the form "
            "'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'."
        )
    letters, produced = form["inputs"], form["outputs"]
    elided = len(input_shape) - len(letters)
    around: tuple[Shape, Shape]
    if form["left"]:
        sizes = dict(zip(letters, input_shape[elided:], strict=False))
        declared = dict(zip(produced, output_shape, strict=False))
        around = (input_shape[:elided], ())
    else:
        sizes = dict(zip(letters, input_shape, strict=False))
        # The first letter is the batch, which `output_shape` leaves out.
        declared = dict(zip(produced[1:], output_shape, strict=False))
        around = ((), input_shape[len(letters) :] if form["right"] else ())
    for letter, size in declared.items():
        if None not in (size, sizes.get(letter)) and sizes[letter] != size:
            raise ValueError(
                f"EinsumDense {equation!r}: the input has size {sizes[letter]} at "
                f"{letter!r}, `output_shape` says {size}. Received: input_shape="
                f"{input_shape}, output_shape={output_shape}"
            )
        sizes[letter] = sizes.get(letter) or size
    for letter in form["kernel"]:
        if sizes.get(letter) is None:
            raise ValueError(
                f"EinsumDense {equation!r}: the size of {letter!r}, an axis of the "
                "kernel, follows neither from the input nor from `output_shape`. "
                f"Received: input_shape={input_shape}, output_shape={output_shape}"
            )
    for letter in produced:
        if letter not in sizes:
            raise ValueError(
                f"EinsumDense {equation!r}: the size of {letter!r} in the output is "
                f"unknown. Received: input_shape={input_shape}, "
                f"output_shape={output_shape}"
            )
    kernel = form["kernel"]
    return EinsumShapes(
        kernel=tuple(sizes[letter] for letter in kernel),
        bias=_bias_shape(equation, bias_axes, produced, sizes, len(around[1])),
        outputs=(*around[0], *(sizes[letter] for letter in produced), *around[1]),
        contracted=[i for i, letter in enumerate(kernel) if letter not in produced],
        produced=[i for i, letter in enumerate(kernel) if letter in produced],
    )


def _bias_shape(equation, bias_axes, produced, sizes, trailing):
    """Return the bias's shape from its first letter on: size 1 at the others."""
    if not bias_axes:
        return None
    unknown = [a for a in bias_axes if a not in produced or sizes[a] is None]
    if unknown:
        raise ValueError(
            f"EinsumDense {equation!r}: `bias_axes` must hold letters of the output "
            f"whose size is known. Received: bias_axes={bias_axes!r}, of which "
            f"{unknown} are not."
        )
    first = min(produced.index(letter) for letter in bias_axes)
    shape = tuple(sizes[a] if a in bias_axes else 1 for a in produced[first:])
    return shape + (1,) * trailing


def _with_axes(initializer, input_axes, output_axes):
    """Return the initializer told which axes of the kernel are inputs and outputs."""
    if not isinstance(initializer, initializers.VarianceScaling):
        return initializer
    axes = {"input_axes": input_axes, "output_axes": output_axes}
    if getattr(initializer, "input_axes", None) is not None:
        return initializer
    return type(initializer).from_config({**initializer.get_config(), **axes})
