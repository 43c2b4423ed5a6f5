"""Model: a layer that can be compiled, trained, saved and looked at."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, overload

from hornbeam import backends
from hornbeam.core import scopes
from hornbeam.core.errors import did_you_mean, is_from_users_code, shown
from hornbeam.core.lambdas import config_for_file
from hornbeam.diagnosis.doctor import Doctor
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers.building import infer_call
from hornbeam.layers.call import call_info
from hornbeam.layers.layer import Layer
from hornbeam.models import inputs_on_host
from hornbeam.training.trainer import Trainer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal, Self, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, PathLike, Tree


class Model(Doctor, Trainer, Layer):
    """A network with the means to train, evaluate, save and show it.

    There are three ways to make one: `Model(inputs, outputs)` from symbolic tensors
    (Functional), `Sequential([...])` from a list of layers, or a subclass with its
    own `call`.

    Args:
        inputs: the symbolic inputs, from `keras.Input` (Functional only).
        outputs: the symbolic outputs (Functional only).
        name: default: generated.

    >>> import hornbeam as keras
    >>> inputs = keras.Input((3,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    >>> model.count_params()
    8
    """

    # The layers inside use the masks.
    _uses_masks = False
    _other_arguments = ("inputs", "outputs")

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if cls is Model and _is_functional_call(args, kwargs):
            from hornbeam.models import functional

            functional_class: Any = functional.Functional
            return functional_class.__new__(functional_class, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    if TYPE_CHECKING:
        # Of the models that are drawn as a graph: Functional and Sequential.
        @property
        def inputs(self) -> list[KerasTensor]: ...
        @property
        def outputs(self) -> list[KerasTensor]: ...
        @property
        def input_shape(self) -> Any: ...
        @property
        def output_shape(self) -> Any: ...
        @property
        def operations(self) -> list[Any]: ...

    @overload
    def __init__(
        self, inputs: Tree, outputs: Tree, **kwargs: Unpack[LayerArguments]
    ) -> None: ...
    @overload
    def __init__(self, inputs: Tree, outputs: Tree, name: str | None) -> None: ...
    @overload
    def __init__(self, **kwargs: Unpack[LayerArguments]) -> None: ...
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        from hornbeam.models.functional import Functional

        if _is_functional_call(args, kwargs) and not isinstance(self, Functional):
            model: Any = self
            twin: Any = _functional_twin
            model.__class__ = twin(type(model))
            Functional.__init__(model, *args, **kwargs)
            return
        Trainer.__init__(self)
        Layer.__init__(self, *args, **kwargs)

    @overridable
    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; a subclass must write it."""
        raise NotImplementedError(
            f"Model {type(self).__name__} does not have a `call()` method implemented."
        )

    def _on_host(self, x):
        return inputs_on_host.on_host(self, x)

    @property
    def distribute_strategy(self) -> Any:
        """The engine's strategy of distribution here, where it has such a thing."""
        engine = backends.current()
        if engine.distribute_strategy is None:
            raise AttributeError(
                f"The engine {engine.name!r} has no `distribute_strategy`. Use "
                "`keras.distribution`."
            )
        return engine.distribute_strategy()

    @property
    def layers(self) -> list[Any]:
        """The layers directly inside."""
        return self._flatten_layers(include_self=False, recursive=False)

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError(
            "`Model.layers` attribute is reserved: choose another name for yours."
        )

    @overridable
    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of shape `input_shape` (or a nest of shapes)."""
        if self.built and input_shape is None:
            return
        if not self._has_call:
            self._check_layers_built()
            return
        first_call = vars(self).get("_first_call")
        if first_call is not None:
            infer_call(self, *first_call)
            return
        inputs = _symbolic_inputs(input_shape)
        with scopes.autocast_scope(None):
            if isinstance(inputs, dict) and not _takes_one_input(self):
                infer(self.call, (), inputs)
            else:
                infer(self.call, (inputs,), {})

    _has_call = property(lambda self: type(self).call is not Model.call)

    def _check_layers_built(self):
        """Raise unless all layers are built: without a `call` nothing builds them."""
        waiting = [x.name for x in self._walk_layers(False, True) if not x.built]
        if waiting:
            raise NotImplementedError(
                f"Model {type(self).__name__} does not have a `call()` method "
                f"implemented, so it cannot build its layers {waiting}. Build them "
                "first, or write `call()`."
            )

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer of that name, or at that position."""
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or a layer index.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model "
                    f"{self.name!r} only has {len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ValueError(
            f"No such layer: {name!r}. Existing layers are: {names}."
            f"{did_you_mean(name, names)}"
        )

    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[..., Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers with their output shapes and numbers of parameters.

        In a notebook it is shown as HTML, in a terminal in colours.

        Args:
            line_length: width of the table. Default: the terminal's.
            positions: relative ends of the columns.
            print_fn: called with the text, instead of printing it.
            expand_nested: whether the layers of nested models are shown.
            show_trainable: whether a column says what is trained.
            layer_range: `[first, last]` names or patterns of the layers shown.
        """
        from hornbeam.utils.summary_utils import print_summary

        return print_summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    def save(
        self,
        filepath: PathLike,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Save the model to a `.keras` file: architecture, weights, optimizer."""
        from hornbeam import saving

        saving.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self,
        filepath: PathLike,
        overwrite: bool = True,
        max_shard_size: float | None = None,
    ) -> None:
        """Save the weights to a `.weights.h5` or `.safetensors` file."""
        from hornbeam import saving

        saving.save_weights(
            self, filepath, overwrite=overwrite, max_shard_size=max_shard_size
        )

    def load_weights(
        self, filepath: PathLike, skip_mismatch: bool = False, **kwargs: Any
    ) -> None:
        """Load the weights from a `.weights.h5`, `.safetensors` or `.keras` file."""
        from hornbeam import saving

        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Return the architecture and how it is compiled as a JSON string."""
        import json

        from hornbeam import saving

        config = config_for_file(lambda: saving.serialize_keras_object(self))
        return json.dumps(config, **kwargs)

    def export(
        self,
        filepath: PathLike,
        format: Literal["tf_saved_model"] = "tf_saved_model",  # noqa: A002 - the API's name
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the model for others to serve, without hornbeam.

        A TensorFlow SavedModel has the endpoint "serve", for any number of rows. A
        model of another engine is copied to the TensorFlow engine for that.

        Args:
            filepath: the folder to write to.
            format: "tf_saved_model", the only one.
            verbose: whether to print the path. Default: False.
            input_signature: what the model is called with: an `InputSpec`, a
                `tf.TensorSpec`, a `KerasTensor`, a tensor, or a nest of these in the
                structure of the inputs. Default: those the model was built for.
            **kwargs: accepted for compatibility: `is_static`, `jax2tf_kwargs`.

        >>> import hornbeam as keras
        >>> import tensorflow as tf
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> model.export(folder)
        >>> served = tf.saved_model.load(folder)
        >>> served.serve([[1.0, 2.0, 3.0]]).shape
        TensorShape([1, 2])
        """
        from hornbeam.export.archive import export_model

        export_model(self, filepath, format, bool(verbose), input_signature, **kwargs)

    def quantize(  # type: ignore[override]  # as in Keras
        self, mode: Any = None, config: Any = None, filters: Any = None, **kwargs: Any
    ) -> None:
        """Not available yet."""
        super().quantize(mode)

    def to_backend(self, name: str) -> Self:
        """Move the model, its optimizer and its metrics to the engine `name`.

        Returns the model.
        """
        super().to_backend(name)
        for optimizer in self._optimizers():
            for variable in optimizer.variables:
                variable.move_to(backends.get(name))
        self._forget_programs()
        return self

    def __getstate__(self) -> dict[str, Any]:
        # Programs are not copied: a copy looks them up by its structure.
        return {**super().__getstate__(), "_bindings": {}, "_runners": {}}

    def build_from_config(self, config: Config | None) -> None:
        if not config:
            return
        shapes = config.get("input_shape") or config.get("shapes_dict")
        if shapes is None or self.built:
            return
        super().build_from_config(config)

    def get_config(self) -> Config:
        if type(self).__init__ is Model.__init__:
            return {"name": self.name, "trainable": self.trainable}
        return super().get_config()

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make a model from what `get_config` returned."""
        from hornbeam.models.functional import functional_from_config, takes_graph

        keys = {"name", "layers", "input_layers", "output_layers"}
        if keys <= set(config) and takes_graph(cls):
            return functional_from_config(cls, config, custom_objects)
        try:
            return cls(**config)
        except TypeError as error:
            if is_from_users_code(error):
                raise
            raise TypeError(
                f"Model {cls.__name__!r} cannot be made from its config: {error} "
                "`__init__` must take what `get_config()` returns, and `name`, "
                "`trainable` and `dtype` besides: `def __init__(self, ..., **kwargs)` "
                "with `super().__init__(**kwargs)`. Or write `from_config()`. "
                f"Received: config={shown(config)}"
            ) from error


def _is_functional_call(args, kwargs):
    return (
        len(args) in (2, 3)
        or (len(args) == 1 and "outputs" in kwargs)
        or ("inputs" in kwargs and "outputs" in kwargs)
    )


@functools.cache
def _functional_twin(cls):
    """Return the class `cls` with Functional among its bases.

    For a subclass whose `__init__` calls `super().__init__(inputs, outputs)`.
    """
    from hornbeam.models.functional import Functional

    attributes: dict[str, Any] = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
    }
    attributes["_twin_of"] = cls
    twin = type(cls.__name__, (cls, Functional), attributes)
    return twin


def _takes_one_input(model):
    names = [
        n for n in call_info(type(model).call).names if n not in ("training", "mask")
    ]
    return len(names) <= 1


def _symbolic_inputs(shape):
    if isinstance(shape, dict):
        return {k: _symbolic_inputs(v) for k, v in shape.items()}
    if isinstance(shape, tuple | list):
        if all(d is None or isinstance(d, int) for d in shape):
            return KerasTensor(tuple(shape))
        return type(shape)(_symbolic_inputs(s) for s in shape)
    raise ValueError(
        "A model is built for a shape such as `(None, 3)`, or a nest of shapes. "
        f"Received: input_shape={shape!r}"
    )
