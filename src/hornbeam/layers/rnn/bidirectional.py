"""A wrapper that runs a recurrent layer in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.configurable import serialize_argument
from hornbeam.core.errors import check_choice
from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.layers.layer import Layer
from hornbeam.layers.rnn.protocol import as_list
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, InputShape, Tensor


_MODES = ("concat", "sum", "mul", "ave", None)
_COMMON = ("stateful", "return_sequences", "return_state")


class Bidirectional(Layer):
    """Runs a recurrent layer forwards and another one backwards, and merges both.

    Source: Schuster and Paliwal, "Bidirectional recurrent neural networks" (1997).

    Args:
        layer: an `RNN`, or a layer with its attributes `go_backwards`,
            `return_sequences`, `return_state` and its arguments of the call. A copy of
            it is made.
        merge_mode: how the outputs become one: "concat" (default), "sum", "mul", "ave";
            None returns both.
        weights: a list of arrays: the first weights of both layers.
        backward_layer: the layer that goes backwards. Default: one like `layer`.

    Call arguments: `sequences`; `initial_state`: the states of the forward layer, then
    those of the backward layer; `mask`; `training`.

    The outputs of all steps are returned in the order of the inputs; those of masked
    steps are zeros. With
    `return_state` the states of the forward layer, then those of the backward layer,
    come behind.

    **Speed.** Each direction is computed as its layer alone would be: see `LSTM`.

    >>> import hornbeam as keras
    >>> layer = keras.layers.Bidirectional(keras.layers.LSTM(4))
    >>> layer(keras.ops.ones((2, 5, 3))).shape
    (2, 8)
    """

    state_arguments: tuple[str, ...] = ("weights",)
    _uses_masks = False

    forward_layer: Any
    backward_layer: Any
    stateful: bool
    return_sequences: bool
    return_state: bool

    def __init__(
        self,
        layer: Any,
        merge_mode: Literal["concat", "sum", "mul", "ave"] | None = "concat",
        weights: Sequence[Any] | None = None,
        backward_layer: Any = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        for argument, value in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(value, Layer) and (value or argument == "layer"):
                raise ValueError(
                    f"Argument `{argument}` of Bidirectional must be a recurrent layer,"
                    f" such as `keras.layers.LSTM(4)`. Received: {argument}={value!r} "
                    f"(of type {type(value).__name__})."
                )
        check_choice("Bidirectional", "merge_mode", merge_mode, _MODES)
        super().__init__(**kwargs)
        self.merge_mode = merge_mode
        # Not `layer`: files have the copy as `forward_layer`.
        self._layer = self.forward_layer = _copy(layer, "forward")
        if backward_layer is None:
            self.backward_layer = _copy(
                layer, "backward", go_backwards=not layer.go_backwards
            )
        else:
            self.backward_layer = backward_layer
        self._check_pair()
        if self.forward_layer.return_sequences:
            # The output of the step before would come from the wrong side.
            for one in (self.forward_layer, self.backward_layer):
                if hasattr(one, "zero_output_for_mask"):
                    one.zero_output_for_mask = True
        self.stateful = self.forward_layer.stateful
        self.return_sequences = self.forward_layer.return_sequences
        self.return_state = self.forward_layer.return_state
        self._first_weights = weights
        self.supports_masking = True

    def _check_pair(self):
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Bidirectional: the two layers must have different `go_backwards`. "
                f"Received: {forward.go_backwards} for both."
            )
        for name in _COMMON:
            values = getattr(forward, name), getattr(backward, name)
            if values[0] != values[1]:
                raise ValueError(
                    f"Bidirectional: the two layers must have the same `{name}`. "
                    f"Received: {values[0]} forwards, {values[1]} backwards."
                )

    @property
    def states(self) -> Any:
        """The Variables of a stateful pair: forwards, then backwards."""
        states = self.forward_layer.states, self.backward_layer.states
        return None if None in states else (*states[0], *states[1])

    def reset_state(self) -> None:
        """Set the states that stateful layers keep to zero."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Do what `reset_state` does."""
        self.reset_state()

    def build(
        self, sequences_shape: InputShape, initial_state_shape: Any = None
    ) -> None:
        """Build both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    @overridable
    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        """Return the merged outputs, with the states behind."""
        halves = (None, None) if initial_state is None else self._halves(initial_state)
        pair = self.forward_layer, self.backward_layer
        results = [
            layer(sequences, initial_state=state, mask=mask, training=training)
            for layer, state in zip(pair, halves, strict=True)
        ]
        states = ()
        if self.return_state:
            states = (*results[0][1:], *results[1][1:])
            results = [outputs[0] for outputs in results]
        forward, backward = results
        if self.return_sequences:
            backward = ops.flip(backward, 1)
        outputs = self._merged(forward, backward)
        if self.return_state:
            outputs = (*as_list(outputs), *states)
        # The layers inside may have another dtype.
        return tree.map_structure(lambda x: ops.cast(x, self.compute_dtype), outputs)

    def _halves(self, initial_state):
        states = list(initial_state)
        if len(states) % 2:
            raise ValueError(
                f"Layer {self.path!r} (Bidirectional): argument `initial_state` must "
                "hold the states of the forward layer, then as many of the backward "
                f"layer. Received: {len(states)} tensors."
            )
        half = len(states) // 2
        return states[:half], states[half:]

    def _merged(self, forward, backward):
        if self.merge_mode is None:
            return forward, backward
        if self.merge_mode == "concat":
            return ops.concatenate([forward, backward], axis=-1)
        if self.merge_mode == "mul":
            return forward * backward
        total = forward + backward
        return total if self.merge_mode == "sum" else total / 2

    def compute_output_shape(
        self, sequences_shape: InputShape, initial_state_shape: Any = None
    ) -> Any:
        """Return the shapes of what the call returns."""
        output, states = self.forward_layer.compute_output_shape(sequences_shape), ()
        if self.return_state:
            backward = self.backward_layer.compute_output_shape(sequences_shape)
            output, states = output[0], (*output[1:], *backward[1:])
        if self.merge_mode == "concat":
            output = (*output[:-1], 2 * output[-1])
        outputs = (output, output) if self.merge_mode is None else (output,)
        shapes = (*outputs, *states)
        return shapes if len(shapes) > 1 else output

    def compute_mask(self, _: Any, mask: Any) -> Any:
        """Return the masks of what the call returns."""
        if isinstance(mask, list | tuple):
            mask = mask[0]
        mask = mask if self.return_sequences else None
        outputs = (mask, mask) if self.merge_mode is None else (mask,)
        states: tuple[None, ...] = ()
        if self.return_state:
            states = (None,) * 2 * len(tree.flatten(self.forward_layer.state_size))
        masks = (*outputs, *states)
        return masks if len(masks) > 1 else mask

    def get_config(self) -> Config:
        """Return the arguments, with both layers."""
        return {
            **super().get_config(),
            "layer": serialize_argument(self.forward_layer),
            "backward_layer": serialize_argument(self.backward_layer),
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make both layers, and the wrapper, from a config."""
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if isinstance(config.get(name), dict):
                config[name] = deserialize_keras_object(
                    config[name], custom_objects=custom_objects
                )
        return super().from_config(config)


def _named(direction, name):
    return f"{direction}_{name.removeprefix(f'{direction}_')}"


def _copy(layer, direction, **changes):
    """Return a new layer of the same config, without the weights."""
    missing = [n for n in ("go_backwards", *_COMMON) if not hasattr(layer, n)]
    if missing:
        raise ValueError(
            "Argument `layer` of Bidirectional must be a recurrent layer, such as "
            f"`keras.layers.LSTM(4)`. Received: layer={layer!r}, which has no "
            f"attribute `{missing[0]}`."
        )
    name = layer.name.removeprefix("forward_")
    config = {**layer.get_config(), **changes, "name": _named(direction, name)}
    copy = type(layer).from_config(config)
    if hasattr(layer, "use_cudnn"):
        copy.use_cudnn = layer.use_cudnn
    return copy
