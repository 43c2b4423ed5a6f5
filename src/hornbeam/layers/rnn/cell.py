"""The base of the built-in cells: weights, gates, dropout, running along sequences."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hornbeam import activations, backends, ops
from hornbeam.core import scopes
from hornbeam.core.hyperparameter import Hyperparameter
from hornbeam.core.random import SeedGenerator
from hornbeam.layers.arguments import keep_weight_arguments
from hornbeam.layers.rnn.protocol import Cell, state_shapes
from hornbeam.ops.attention import linear
from hornbeam.random.dropping import keep_factor
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from hornbeam.core.variable import Variable
    from hornbeam.layers.rnn.loop import Loop
    from hornbeam.typing import OptionalVariable, Seed, Tensor


class RecurrentCell(Cell):
    """A base for cells with a kernel, a recurrent kernel and a bias for some gates.

    A subclass sets `gates` and writes `step(x, states, recur)`, where `x` is what the
    inputs give for all gates and `recur(h, first, last)` what `h` gives for the gates
    from `first` to before `last`.
    """

    gates = 1
    # The axis along which the gates lie side by side.
    gate_axis = -1
    # The engine's kernel of the whole recurrence: a name in `backends.contract`.
    fused_kind: Any
    units: int
    activation: Any
    recurrent_activation: Any
    use_bias: bool
    kernel_initializer: Any
    recurrent_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    recurrent_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    recurrent_constraint: Any
    bias_constraint: Any
    seed: Seed
    state_size: Any
    output_size: Any
    kernel: Variable
    recurrent_kernel: Variable
    bias: OptionalVariable

    dropout: float = Hyperparameter(low=0, high=1)
    recurrent_dropout: float = Hyperparameter(low=0, high=1)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # The engine's kernel computes only the step of the class that names it.
        if "step" in vars(cls) and "fused_kind" not in vars(cls):
            cls.fused_kind = None

    def _init(self, arguments):
        """Initialise the cell; `arguments` are the `locals()` of its `__init__`."""
        arguments.pop("self")
        kwargs = arguments.pop("kwargs")
        # 1: each gate has dropout masks of its own. 2: they share one.
        self.implementation: Any = kwargs.pop("implementation", 1)
        super().__init__(**kwargs)
        for name, value in arguments.items():
            family = name.rpartition("_")[2]
            if family in ("initializer", "regularizer", "constraint"):
                keep_weight_arguments(self, **{name: value})
            elif family == "activation":
                setattr(self, name, activations.get(value))
            else:
                setattr(self, name, value)
        self.seed_generator: SeedGenerator = SeedGenerator(self.seed)
        # Whether the engine's kernel is used: True, False or "auto".
        self.use_cudnn = "auto"
        self._holds_masks = False
        self._dropout_mask = self._recurrent_dropout_mask = None

    def structure_key(self) -> Any:
        """Return what a program depends on beside the arguments."""
        drops = self._drops("dropout"), self._drops("recurrent_dropout")
        return (self.implementation, self.use_cudnn, *drops)

    def _drops(self, name):
        """Whether a rate is above 0: that is structure, the rate is an input."""
        return vars(self)[f"_hyperparameter_{name}"] > 0

    def _add_weights(self, kernel, recurrent_kernel, bias, bias_initializer=None):
        """Make the weights of these shapes."""
        self.kernel = self._add("kernel", kernel)
        self.recurrent_kernel = self._add("recurrent", recurrent_kernel)
        self.bias = self._add("bias", bias, bias_initializer) if self.use_bias else None

    def _add(self, kind, shape, initializer=None):
        return self.add_weight(
            name="recurrent_kernel" if kind == "recurrent" else kind,
            shape=shape,
            initializer=initializer or getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    def has_activations(self, activation: Any, recurrent_activation: Any) -> bool:
        """Whether the two activations are those of these names."""
        pair = self.activation, self.recurrent_activation
        wanted = activations.get(activation), activations.get(recurrent_activation)
        return pair == wanted

    def step(self, x: Tensor, states: Any, recur: Callable[..., Tensor]) -> Any:
        """Return `(output, new states)`."""
        raise NotImplementedError

    @overridable
    def call(self, inputs: Tensor, states: Any, training: bool | None = False) -> Any:
        """Return `(output, new states)` of one step."""
        nested = isinstance(states, list | tuple)
        state_list = list(states) if nested else [states]
        recur = self._recurrence(state_list[0], training)
        output, new = self.step(self._project(inputs, training), state_list, recur)
        return output, new if nested else new[0]

    def over_time(
        self, loop: Loop, sequences: Tensor, states: Any, training: bool | None
    ) -> Any:
        """Return the outputs and last states of whole sequences, steps first.

        The inputs' part is one large product before the loop, unless the engine's loops
        are faster with it inside. Where the engine has a kernel for all of it, that is
        used.
        """
        scope = scopes.autocast_scope(self.compute_dtype if self._is_mixed else None)
        with scope, self.held_masks(sequences[0], states[0], training):
            sequences, *states = (
                ops.cast(x, self.compute_dtype) for x in (sequences, *states)
            )
            result = self._fused(loop, sequences, states, training)
            if result is not None:
                return result
            recur = self._recurrence(states[0], training)
            if self._projects_in_loop(sequences.shape, training):
                return loop(
                    lambda x, s: self.step(self._project(x, training), s, recur),
                    sequences,
                    states,
                )
            return loop(
                lambda x, s: self.step(x, s, recur),
                self._project(sequences, training),
                states,
            )

    def _projects_in_loop(self, shape, training):
        """Whether the inputs' product is made step by step, as is faster with XLA."""
        rule = backends.current().projects_in_loop
        dense = len(shape) == 3 and len(self.kernel.shape) == 2
        if rule is None or not dense or not isinstance(shape[1], int):
            return False
        units = self.kernel.shape[1] // self.gates
        return rule(shape, units, self.gates, bool(training))

    @contextlib.contextmanager
    def held_masks(
        self, step_input: Tensor, state: Tensor, training: bool | None
    ) -> Iterator[None]:
        """A block in which dropout masks, drawn now, stay from step to step."""
        self._holds_masks = True
        try:
            if training:
                self.get_dropout_mask(step_input)
                self.get_recurrent_dropout_mask(state)
            yield
        finally:
            self._holds_masks = False
            self.reset_dropout_mask()
            self.reset_recurrent_dropout_mask()

    def _fused(self, loop, sequences, states, training):
        """Return what the engine's kernel gives, or None."""
        masks = self._masks("dropout", sequences[0], training)
        result = None
        obstacle = self._obstacle(loop, masks, training)
        if obstacle is None:
            if masks:
                sequences = sequences * masks[0]
            bias = None if self.bias is None else self.bias.value
            result = backends.current().recurrence(
                self.fused_kind,
                sequences,
                states,
                self.kernel.value,
                self.recurrent_kernel.value,
                bias,
                loop.mask,
            )
        scopes.note_road(
            f"step by step, as {obstacle or 'the kernel does not take these inputs'}"
            if result is None
            else "one kernel for the whole sequence"
        )
        if result is None and self.use_cudnn is True:
            raise ValueError(
                f"Layer {self.path!r}: use_cudnn=True asks for the fused kernel of the "
                f"backend, and {backends.current().name!r} has none for this layer "
                'and these inputs. Pass use_cudnn="auto" to use it where there is one.'
            )
        return result

    def _obstacle(self, loop, masks, training):
        """Return why the engine's kernel cannot be used, or None."""
        engine = backends.current()
        obstacles = (
            (engine.recurrence is None, f"{engine.name!r} has no kernel for it"),
            (self.fused_kind is None, "the kernel has other gates and activations"),
            (self.use_cudnn is False, "use_cudnn=False says"),
            (loop.unroll, "unroll=True says"),
            (masks is not None and len(masks) != 1, "each gate has a dropout mask"),
            (training and self._drops("recurrent_dropout"), "recurrent_dropout asks"),
        )
        return next((why for is_so, why in obstacles if is_so), None)

    # The products, and the masks in front of them.

    def product(self, x: Tensor, kernel: Tensor, bias: Tensor = None) -> Tensor:
        """Return the product of inputs, of one or of many steps, with a kernel."""
        return linear(x, kernel, bias)

    def recurrent_product(
        self, h: Tensor, kernel: Tensor, bias: Tensor = None
    ) -> Tensor:
        """Return the product of a state with a recurrent kernel."""
        return linear(h, kernel, bias)

    def biases(self) -> tuple[Any, Any]:
        """Return the bias of the inputs' product and of the states'."""
        return (None if self.bias is None else self.bias.value), None

    def _project(self, x, training):
        """Return the inputs' part of all gates."""
        masks = self._masks("dropout", x, training)
        kernel, bias = self.kernel.value, self.biases()[0]
        return self._gated(self.product, x, kernel, bias, masks, 0, self.gates)

    def _recurrence(self, state, training):
        """Return `recur(h, first, last)`; see the class."""
        masks = self._masks("recurrent_dropout", state, training)
        kernel, bias = self.recurrent_kernel.value, self.biases()[1]
        product = self.recurrent_product

        def recur(h, first=0, last=self.gates):
            return self._gated(product, h, kernel, bias, masks, first, last)

        return recur

    def _gated(self, product, x, kernel, bias, masks, first, last):
        if masks is None or len(masks) == 1:
            part, part_bias = self._part(kernel, first, last), bias
            if bias is not None:
                part_bias = self._part(bias, first, last)
            return product(x if masks is None else x * masks[0], part, part_bias)
        pieces = [
            self._gated(product, x, kernel, bias, [masks[k]], k, k + 1)
            for k in range(first, last)
        ]
        return ops.concatenate(pieces, axis=self.gate_axis)

    def _part(self, weight, first, last):
        """Return the columns of some gates."""
        if (first, last) == (0, self.gates):
            return weight
        size = weight.shape[-1] // self.gates
        return weight[..., first * size : last * size]

    def _masks(self, rate, x, training):
        """Return None, or the factors of dropout: one, or one for each gate."""
        if not training or not self._drops(rate):
            return None
        if rate == "dropout":
            masks = self.get_dropout_mask(x)
        else:
            masks = self.get_recurrent_dropout_mask(x)
        masks = masks if isinstance(masks, list) else [masks]
        return masks[:1] if self.implementation == 2 else masks

    def get_dropout_mask(self, step_input: Tensor) -> Any:
        """Return the factors of the inputs' dropout: a tensor, or one for each gate.

        They are the same until `reset_dropout_mask()`. None if the rate is 0.
        """
        return self._held("dropout", step_input)

    def get_recurrent_dropout_mask(self, step_input: Tensor) -> Any:
        """Return the factors of the states' dropout, as `get_dropout_mask` does."""
        return self._held("recurrent_dropout", step_input)

    def _held(self, rate, x):
        if not self._drops(rate):
            return None
        slot = f"_{rate}_mask"
        mask = getattr(self, slot)
        if mask is None:
            mask = self._draw(rate, x)
            # Inside a program a mask may outlive only the steps of one loop.
            if self._holds_masks or not scopes.in_stateless_scope():
                setattr(self, slot, mask)
        return mask

    def _draw(self, rate, x):
        count = self.gates if self.implementation == 1 else 1
        key = self.seed_generator.next()
        factors = keep_factor(key, (count, *x.shape), getattr(self, rate))
        factors = ops.cast(factors, x.dtype)
        if self.gates == 1:
            return factors[0]
        return [factors[k] for k in range(count)] * (self.gates // count)

    def reset_dropout_mask(self) -> None:
        """Forget the factors of the inputs' dropout; the next step draws new ones."""
        self._dropout_mask = None

    def reset_recurrent_dropout_mask(self) -> None:
        """Forget the factors of the states' dropout; the next step draws new ones."""
        self._recurrent_dropout_mask = None

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """Return the states before the first step: zeros."""
        shapes = state_shapes(self.state_size, batch_size)
        return [ops.zeros(shape, self.compute_dtype) for shape in shapes]
