"""Optimizer: gradients to new values of variables.

A concrete optimizer is its slots (`build`) and its rule (`update_step`). What all have
in common is here: the rate, weight decay, clipping, accumulation, averaging.
`apply` reads and assigns Variables without asking for their values in Python, so the
same code runs at once and inside a compiled step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Self

from hornbeam import ops
from hornbeam.core import scopes
from hornbeam.core.configurable import init_arguments, serialize_argument
from hornbeam.core.errors import check_number, did_you_mean
from hornbeam.core.hyperparameter import Hyperparameter, plain_hyperparameters
from hornbeam.core.naming import auto_name
from hornbeam.core.serialization import deserialize_keras_object
from hornbeam.core.variable import Variable
from hornbeam.core.warning import warn
from hornbeam.optimizers.averages import Averages
from hornbeam.optimizers.gradients import (
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    clip_limit,
    present,
)
from hornbeam.optimizers.schedules.schedule import LearningRateSchedule
from hornbeam.optimizers.state import constant, native_update, update_if
from hornbeam.typing import Config, CustomObjects, Tensor, TensorLike

LearningRate = float | LearningRateSchedule | Callable[[], Any]


class Optimizer(Averages):
    """A rule that changes variables along their gradients: the base of all optimizers.

    A subclass makes its slots in `build` and gives the rule in `update_step`.

    Args:
        learning_rate: the step size: a number, a `LearningRateSchedule` of the number
            of updates, or a function without arguments that returns a number.
        weight_decay: each update first shrinks the variables by
            `learning_rate * weight_decay` of themselves ("decoupled" decay).
            None: no decay.
        clipnorm: the greatest Euclidean norm of a variable's gradient. None, 0 and
            negative numbers: no limit.
        clipvalue: the greatest absolute value of an entry of a gradient, likewise.
        global_clipnorm: the greatest norm of all gradients together, likewise.
        use_ema: keep an exponential moving average of the variables; at the end of
            `fit` it replaces them.
        ema_momentum: the weight of the old average, in [0, 1].
        ema_overwrite_frequency: replace the variables by their average every
            `ema_overwrite_frequency` updates. None: only at the end of training.
        loss_scale_factor: the loss is multiplied by this number, and the gradients are
            divided by it (against underflow of small floats).
        gradient_accumulation_steps: number of calls per update, which uses the mean of
            their gradients.
        name: default: generated from the class name.

    >>> import hornbeam as keras
    >>> class SignDescent(keras.Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * keras.ops.sign(gradient))
    >>> variable = keras.Variable([3.0])
    >>> optimizer = SignDescent(learning_rate=0.5)
    >>> optimizer.apply_gradients([(keras.ops.array([7.0]), variable)])
    >>> float(variable[0])
    2.5
    """

    # Whether it updates through other optimizers.
    holds_optimizers = False
    _set_by_init: str = "name"

    weight_decay: float | None = Hyperparameter(optional=True, low=0)
    clipnorm: float | None = Hyperparameter(optional=True)
    clipvalue: float | None = Hyperparameter(optional=True)
    global_clipnorm: float | None = Hyperparameter(optional=True)
    ema_momentum: float = Hyperparameter(low=0, high=1)
    loss_scale_factor: float | None = Hyperparameter(optional=True, above=0)

    def __init__(
        self,
        learning_rate: LearningRate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if kwargs.pop("decay", None) is not None:
            warn(
                "Argument `decay` is ignored. Give `learning_rate` a schedule such as "
                "`keras.optimizers.schedules.InverseTimeDecay` instead.",
            )
        cls: type = type(self)
        owner = cls.__name__
        if kwargs:
            _raise_unknown(cls, kwargs)
        clipnorm, clipvalue, global_clipnorm = map(
            clip_limit, (clipnorm, clipvalue, global_clipnorm)
        )
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. "
                f"Received: clipnorm={clipnorm}, clipvalue={clipvalue}, "
                f"global_clipnorm={global_clipnorm}"
            )
        if use_ema and ema_overwrite_frequency:
            frequency = ("ema_overwrite_frequency", ema_overwrite_frequency)
            check_number(owner, *frequency, low=1, integer=True)
        if gradient_accumulation_steps:
            count = ("gradient_accumulation_steps", gradient_accumulation_steps)
            check_number(owner, *count, low=2, integer=True)
        super().__init__(name or auto_name(owner))
        self._trainable_variables: list[Variable] = []
        self._positions: dict[int, int] = {}
        self._variables_without_decay: list[Variable] = []
        self._names_without_decay: list[str] = []
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self._is_swapped = False
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._iterations = self.add_variable((), dtype="int32", name="iteration")
        self._learning_rate = self._rate_from(learning_rate)

    @property
    def iterations(self) -> Tensor:
        """The number of updates so far."""
        if not self.gradient_accumulation_steps:
            return self._iterations
        return ops.floor_divide(self._iterations, self.gradient_accumulation_steps)

    @property
    def learning_rate(self) -> Variable | Tensor:
        """The rate of the next update.

        It can be set: to a number if it was made with one, or to a schedule.
        """
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self.iterations)
        return rate if isinstance(rate, Variable) else rate()

    @learning_rate.setter
    def learning_rate(self, value: LearningRate | TensorLike) -> None:
        old = self._learning_rate
        if callable(value):
            self._variables = [v for v in self._variables if v is not old]
            self._learning_rate = value
        elif isinstance(old, Variable):
            old.assign(self._checked_rate(value))
        else:
            raise TypeError(
                f"The learning rate of optimizer {self.name!r} comes from {old!r}, so "
                f"it cannot be set to a number. Received: {value!r}. Make the "
                "optimizer with a number as its `learning_rate` to be able to set it."
            )

    def _rate(self):
        rate = self.learning_rate
        return rate.value if isinstance(rate, Variable) else rate

    def _rate_from(self, learning_rate):
        if callable(learning_rate) and not hasattr(learning_rate, "dtype"):
            return learning_rate
        number = float(self._checked_rate(learning_rate))
        return self.add_variable((), constant(number), name="learning_rate")

    def _checked_rate(self, rate):
        """Return a rate that is not negative; a tensor is taken as it is."""
        if hasattr(rate, "dtype"):
            return rate
        try:
            return check_number(
                type(self).__name__, "learning_rate", rate, low=0, finite=True
            )
        except ValueError as error:
            raise ValueError(
                f"{error}. A `LearningRateSchedule`, and a function without arguments "
                "that returns a number, are taken too."
            ) from None

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for the variables that will be updated, once."""
        if self.built:
            return
        self._trainable_variables = list(variables)
        self._positions = _positions(self._trainable_variables)
        for variable in self._variables:
            if variables and variable.backend is not variables[0].backend:
                variable.move_to(variables[0].backend)
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(
                variables, "average"
            )
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = self.add_optimizer_variables(
                variables, "gradient_accumulator"
            )
        self.built = True

    def _variables_before_build(self) -> list[Variable]:
        rate = self._learning_rate
        return [self._iterations, *([rate] if isinstance(rate, Variable) else [])]

    def __setstate__(self, state: Config) -> None:
        self.__dict__.update(state)
        self._positions = _positions(self._trainable_variables)

    def _get_variable_index(self, variable):
        """The position of the variable in the list that `build` was given."""
        return self._positions[id(variable)]

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Update one variable: the rule, to be given by subclasses."""
        raise NotImplementedError(
            f"Optimizer {type(self).__name__} must define "
            "`update_step(self, gradient, variable, learning_rate)`."
        )

    def update_all(
        self,
        gradients: Sequence[Tensor],
        variables: Sequence[Variable],
        learning_rate: Tensor,
    ) -> None:
        """Update all variables. Default: `update_step` for each, in its dtype."""
        for gradient, variable in zip(gradients, variables, strict=True):
            rate = ops.cast(learning_rate, variable.dtype)
            self.update_step(gradient, variable, rate)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """Update from pairs of a gradient and a variable."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(
        self,
        grads: Sequence[Any],
        trainable_variables: Sequence[Variable] | None = None,
    ) -> None:
        """Update the variables with their gradients.

        Args:
            grads: a gradient for each variable; None where there is none.
            trainable_variables: the variables. Default: those given to `build`.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._variables_for(grads, trainable_variables)
        grads, variables = present(grads, variables)
        if self.loss_scale_factor is not None:
            scale = 1.0 / self.loss_scale_factor
            grads = [
                g if v.overwrite_with_gradient else g * scale
                for g, v in zip(grads, variables, strict=True)
            ]
        self._apply_unscaled(grads, variables)

    def _apply_unscaled(self, gradients, variables):
        if self.gradient_accumulation_steps:
            self._accumulate(gradients, variables)
        else:
            self._update(gradients, variables)
        if self.use_ema:
            self._update_averages(variables)
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def _update(self, gradients, variables):
        """One real update, with gradients that are complete."""
        kept = []
        for gradient, variable in zip(gradients, variables, strict=True):
            if variable.overwrite_with_gradient:
                self.assign(variable, gradient)
            else:
                kept.append((gradient, variable))
        variables = [v for _, v in kept]
        gradients = self._clip_gradients([g for g, _ in kept])
        self._apply_weight_decay(variables)
        self.update_all(gradients, variables, self._rate())

    def _accumulate(self, gradients, variables):
        """Add to the sums; at every n-th call update with the means and clear them."""
        n = self.gradient_accumulation_steps or 1
        sums = [
            self._accumulated_gradients[self._get_variable_index(v)] for v in variables
        ]
        for total, gradient, variable in zip(sums, gradients, variables, strict=True):
            merge = ops.maximum if variable.overwrite_with_gradient else ops.add
            total.assign(merge(total, gradient))

        def update():
            means = [
                s.value if v.overwrite_with_gradient else s.value * (1.0 / n)
                for s, v in zip(sums, variables, strict=True)
            ]
            self._update(means, variables)
            for total in sums:
                total.assign(ops.zeros_like(total))

        is_last = ops.equal(ops.mod(self._iterations + 1, n), 0)
        update_if(is_last, update, [*variables, *self.variables])

    def _variables_for(self, grads, trainable_variables):
        """Return the variables of the gradients, with the slots for them made."""
        if trainable_variables is None:
            if not self.built:
                raise ValueError(
                    f"Optimizer {self.name!r} received `grads` without variables, but "
                    "it is not built. Call `optimizer.build(trainable_variables)` "
                    "first, or give the variables to `apply`."
                )
            variables = self._trainable_variables
        else:
            variables = list(trainable_variables)
            if not self.built:
                with plain_hyperparameters():
                    self.build(variables)
        if len(grads) != len(variables):
            raise ValueError(
                f"Optimizer {self.name!r} needs one gradient for each variable. "
                f"Received {len(grads)} gradients and {len(variables)} variables."
            )
        for variable in variables:
            if id(variable) not in self._positions:
                raise ValueError(
                    f"Unknown variable: {variable.path!r}. Optimizer {self.name!r} was "
                    "built for other variables. Make a new optimizer for a new set of "
                    "variables."
                )
        return variables

    def _clip_gradients(self, grads):
        if self.clipnorm is not None:
            return clip_by_norm(grads, self.clipnorm)
        if self.global_clipnorm is not None:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue is not None:
            return clip_by_value(grads, self.clipvalue)
        return grads

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Name the variables that do not decay.

        Args:
            var_list: variables.
            var_names: patterns (regular expressions) that are searched in the
                variables' names.
        """
        self._variables_without_decay = list(var_list or [])
        self._names_without_decay = list(var_names or [])

    def _use_weight_decay(self, variable):
        if any(variable is v for v in self._variables_without_decay):
            return False
        return not any(re.search(n, variable.name) for n in self._names_without_decay)

    def structure_key(self) -> tuple[Any, ...]:
        """Return what a compiled step depends on besides the arguments."""
        variables = self._trainable_variables
        return tuple(
            i for i, v in enumerate(variables) if not self._use_weight_decay(v)
        )

    def _apply_weight_decay(self, variables):
        if self.weight_decay is None:
            return
        self._shrink(
            [v for v in variables if self._use_weight_decay(v)], self.weight_decay
        )

    def _shrink(self, variables, weight_decay):
        rate = self._rate() * weight_decay
        native = native_update("decay_update", variables)
        if native is not None and native([v.value for v in variables], rate):
            return
        for variable in variables:
            shrink = ops.cast(rate, variable.dtype)
            self.assign_sub(variable, variable.value * shrink)

    def scale_loss(self, loss: Any) -> Tensor:
        """Return the loss that is to be differentiated: times `loss_scale_factor`."""
        if self.loss_scale_factor is None:
            return loss
        return loss * self.loss_scale_factor

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the new values of the variables and of the optimizer's own variables.

        Args:
            optimizer_variables: values of `optimizer.variables`.
            grads: a gradient for each variable given to `build`.
            trainable_variables: values of the variables given to `build`.
        """
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {type(self).__name__} must be built: call "
                "`optimizer.build(trainable_variables)` first."
            )
        state, variables = self.variables, self._trainable_variables
        for argument, values, expected in (
            ("optimizer_variables", optimizer_variables, state),
            ("trainable_variables", trainable_variables, variables),
        ):
            if len(values) != len(expected):
                raise ValueError(
                    f"Argument `{argument}` of {type(self).__name__}.stateless_apply "
                    f"must be a list of {len(expected)} values. Received {len(values)}."
                )
        run = scopes.pure(lambda: self.apply(grads), [*variables, *state])
        _, values = run([*trainable_variables, *optimizer_variables])
        return values[: len(variables)], values[len(variables) :]

    def get_config(self) -> Config:
        """Return the arguments that make an equal optimizer, with the present rate."""
        config = {}
        cls: type = type(self)
        for name in init_arguments(cls):
            # The rate is kept in a Variable, not under the argument's name.
            value = self._rate_argument() if name == "learning_rate" else None
            config[name] = serialize_argument(
                getattr(self, name) if value is None else value
            )
        return config

    def _rate_argument(self):
        rate = self._learning_rate
        return float(rate.numpy()) if isinstance(rate, Variable) else rate

    @classmethod
    def from_config(cls, config: Config, custom_objects: CustomObjects = None) -> Self:
        """Make an optimizer from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = deserialize_keras_object(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)


def _raise_unknown(cls, arguments):
    names = list(init_arguments(cls))
    raise ValueError(
        f"Argument(s) not recognized by {cls.__name__}: {arguments}. Expected some of "
        f"{', '.join(names)}.{did_you_mean(next(iter(arguments)), names)}"
    )


def _positions(variables):
    return {id(variable): i for i, variable in enumerate(variables)}
