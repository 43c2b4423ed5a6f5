"""ExportArchive: functions of layers and models, written as a SavedModel."""

from __future__ import annotations

import copy
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from hornbeam import backends
from hornbeam.core.dtypes import standardize_dtype
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.layers.layer import Layer
from hornbeam.typing import PathLike

if TYPE_CHECKING:
    from hornbeam.core.variable import Variable
    from hornbeam.models.model import Model

_FORMATS = ("saved_model", "tf_saved_model")
_GROUPS = ("variables", "trainable_variables", "non_trainable_variables")


class ExportArchive:
    """A TensorFlow SavedModel in the making: named functions with their variables.

    Whoever loads it, with `tf.saved_model.load` or in TensorFlow Serving, needs neither
    hornbeam nor the code of the model. A layer or model of another engine is copied to
    the TensorFlow engine, with its current weights.

    Args:
        format: "saved_model".

    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> archive = keras.export.ExportArchive()
    >>> archive.track(model)
    >>> spec = keras.InputSpec(shape=(None, 3), dtype="float32")
    >>> serve = archive.add_endpoint("serve", model.call, input_signature=[spec])
    >>> import tempfile
    >>> archive.write_out(tempfile.mkdtemp(), verbose=False)
    """

    def __init__(self, format: str | None = "saved_model", **kwargs: Any):  # noqa: A002 - the API's name
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments to ExportArchive: {sorted(kwargs)}."
            )
        if format not in _FORMATS:
            raise ValueError(
                "Argument `format` of ExportArchive must be 'saved_model'. Received: "
                f"format={format!r}"
            )
        self._engine = backends.get("tensorflow")
        self._copies: dict[int, Any] = {}
        self._resources: list[Any] = []
        self._endpoints: dict[str, Any] = {}
        self._collections: dict[str, Any] = {}

    @property
    def variables(self) -> list[Variable]:
        """The variables of all layers and models that are tracked."""
        return self._of_tracked("variables")

    @property
    def trainable_variables(self) -> list[Variable]:
        """Those of them that training changes."""
        return self._of_tracked("trainable_variables")

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """Those of them that training does not change."""
        return self._of_tracked("non_trainable_variables")

    def _of_tracked(self, group):
        variables = [
            v for _, copy in self._copies.values() for v in getattr(copy, group)
        ]
        return list({id(v): v for v in variables}.values())

    def track(self, resource: Any) -> None:
        """Make a layer, a model or a resource of TensorFlow part of the archive.

        Args:
            resource: a built layer or model, or a resource such as a lookup table.
        """
        if not isinstance(resource, Layer):
            self._resources.append(resource)
            return
        if not resource.built:
            raise ValueError(
                f"Layer {resource.path!r} has no weights yet: call it on data, or "
                "`build()` it, before it is exported."
            )
        for layer in resource._flatten_layers():
            if layer.runs_on_host:
                raise _computes_with_python(layer)
        self._own(resource)

    def _own(self, layer):
        """Return the layer, or its copy on the TensorFlow engine."""
        if id(layer) not in self._copies:
            copied = layer
            if layer.backend not in (None, self._engine.name):
                copied = copy.deepcopy(layer).to_backend(self._engine.name)
            # The layer is kept alive, so that no other one gets its `id`.
            self._copies[id(layer)] = (layer, copied)
        return self._copies[id(layer)][1]

    def _bound_to_own(self, fn):
        """Return `fn`, of the copy if it is a layer or a method of one."""
        if isinstance(fn, Layer):
            return self._own(fn)
        owner = getattr(fn, "__self__", None)
        if isinstance(owner, Layer):
            return getattr(self._own(owner), fn.__name__)
        return fn

    def add_endpoint(
        self,
        name: str,
        fn: Callable[..., Any],
        input_signature: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> Callable[..., Any]:
        """Add a function under a name; the first one is what is served by default.

        Args:
            name: the name.
            fn: a layer, a model, one of their methods, or a function of tensors of
                TensorFlow.
            input_signature: a list with the arguments of `fn`, each an `InputSpec`, a
                `tf.TensorSpec`, a `KerasTensor`, a tensor or a nest of these. Default:
                what a `tf.function` was called with.
            **kwargs: `is_static` and `jax2tf_kwargs` are accepted and ignored.

        Returns:
            The function as a `tf.function`.
        """
        unknown = sorted(set(kwargs) - {"is_static", "jax2tf_kwargs"})
        if unknown:
            raise ValueError(
                f"Unrecognized keyword arguments to add_endpoint: {unknown}."
            )
        if name in self._endpoints:
            raise ValueError(f"Endpoint {name!r} has been added already.")
        if not isinstance(name, str) or not name.isidentifier() or name[0] == "_":
            raise ValueError(
                "Argument `name` of add_endpoint must be a name that an attribute can "
                f"have. Received: name={name!r}"
            )
        engine = self._engine
        if input_signature is not None:
            input_signature = [self._specs(one) for one in input_signature]
        with backends.scope(engine):
            try:
                made = engine.endpoint(self._bound_to_own(fn), input_signature)
            except TypeError:
                if input_signature is not None:
                    raise
                raise ValueError(
                    f"Endpoint {name!r} needs `input_signature`, or a `tf.function` "
                    f"that was called before. Received: fn={fn!r}"
                ) from None
        self._endpoints[name] = made
        return made[0]

    def _specs(self, one):
        """Return what an argument is, in a nest, as specs of TensorFlow."""
        if isinstance(one, dict):
            return {name: self._specs(x) for name, x in one.items()}
        if isinstance(one, list | tuple):
            return [self._specs(x) for x in one]
        if type(one).__module__.startswith("tensorflow."):
            return one
        if getattr(one, "shape", None) is None:
            raise ValueError(
                "Argument `input_signature` needs the shape of each input. Received: "
                f"{one!r}"
            )
        dtype = standardize_dtype(one.dtype or "float32")
        return self._engine.tensor_spec(one.shape, dtype, getattr(one, "name", None))

    def track_and_add_endpoint(
        self,
        name: str,
        resource: Any,
        input_signature: Sequence[Any] | None,
        **kwargs: Any,
    ) -> Callable[..., Any]:
        """Track a layer or model and add its call as an endpoint; see both.

        Args:
            name: the name.
            resource: the layer or model.
            input_signature: as for `add_endpoint`.
            **kwargs: as for `add_endpoint`.
        """
        self.track(resource)
        return self.add_endpoint(name, resource, input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Sequence[Variable]) -> None:
        """Add a list of variables under a name, to be found in what is loaded.

        Args:
            name: the name.
            variables: a list, tuple or set of Variables.
        """
        if not isinstance(variables, list | tuple | set):
            raise ValueError(
                "Argument `variables` of add_variable_collection must be a list, tuple "
                f"or set. Received: {type(variables).__name__}"
            )
        self._collections[name] = list(variables)

    def write_out(
        self, filepath: PathLike, options: Any = None, verbose: bool = True
    ) -> None:
        """Write the archive.

        Args:
            filepath: the folder. One that holds a SavedModel is replaced.
            options: a `tf.saved_model.SaveOptions`.
            verbose: whether to print where it is and which endpoints it has.
        """
        if not self._endpoints:
            raise ValueError(
                "The archive is empty: give it functions with `add_endpoint()`."
            )
        target = pathlib.Path(filepath)
        if target.exists() and not (target / "saved_model.pb").exists():
            if not target.is_dir() or any(target.iterdir()):
                raise FileExistsError(
                    f"{str(target)!r} exists and is no SavedModel: nothing is replaced."
                )
        groups = {group: getattr(self, group) for group in _GROUPS}
        values = {
            name: [self._value(v) for v in variables]
            for name, variables in {**groups, **self._collections}.items()
        }
        target.parent.mkdir(parents=True, exist_ok=True)
        # Written beside the target and then renamed: a failure changes nothing.
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = pathlib.Path(folder) / "made"
            self._engine.write_saved_model(
                str(made), self._endpoints, values, self._resources, options
            )
            if target.exists():
                shutil.rmtree(target)
            made.rename(target)
        if verbose:
            print(f"Saved {', '.join(self._endpoints)} to {str(target)!r}.")

    def _value(self, variable):
        """Return what holds the variable's value on the TensorFlow engine."""
        engine = self._engine
        if variable.backend is engine:
            return variable._value
        return engine.new_variable(engine.convert(variable.numpy()), False)


def _computes_with_python(layer):
    return ValueError(
        f"{type(layer).__name__} layer {layer.path!r} computes with Python, which a "
        "SavedModel cannot hold. Apply it to the data in the program that asks the "
        "server, and export the rest: `keras.Model(layer.output, model.outputs[0])"
        ".export(path)`. Or save the whole model with `model.save('model.keras')`, and "
        "serve `predict` of what `keras.models.load_model` returns."
    )


def default_signature(model: Model) -> list[Any]:
    """Return the arguments of a model's call as a list of nests of KerasTensors."""
    inputs = _inputs_of_graph(model)
    if inputs is not None:
        return [inputs]
    shapes = model._build_shapes
    if not model.built or not shapes:
        raise ValueError(
            f"Model {model.name!r} does not know the shape of its inputs: call it on "
            "data before `export()`, or give `input_signature`."
        )

    def symbols(shape):
        if isinstance(shape, dict):
            return {name: symbols(one) for name, one in shape.items()}
        if any(isinstance(one, tuple | list | dict) for one in shape):
            return [symbols(one) for one in shape]
        return KerasTensor((None, *shape[1:]), "float32")

    return [symbols(shape) for shape in shapes.values()]


def _inputs_of_graph(model):
    """Return the nest of the symbolic inputs of a model that is a graph, or None."""
    graph = model._graph_within
    return None if graph is None else graph._inputs_struct


def _is_one_argument(model, signature):
    """Whether a list is the nest of the model's one argument, not all arguments."""
    inputs = _inputs_of_graph(model)
    return isinstance(inputs, list | tuple) and len(inputs) == len(signature) > 1


def export_model(
    model: Model,
    filepath: PathLike,
    format: str | None,  # noqa: A002 - the API's name
    verbose: bool,
    input_signature: Sequence[Any] | None,
    **kwargs: Any,
) -> None:
    """Write a model for serving; see `Model.export`."""
    if format not in _FORMATS:
        raise NotImplementedError(
            f"Model {model.name!r} cannot be exported in the format {format!r}. "
            "Supported: 'tf_saved_model'. A file that hornbeam and Keras load again is "
            "written by `model.save('model.keras')`."
        )
    archive = ExportArchive()
    if input_signature is None:
        input_signature = default_signature(model)
    elif not isinstance(input_signature, list | tuple) or _is_one_argument(
        model, input_signature
    ):
        input_signature = [input_signature]
    archive.track_and_add_endpoint("serve", model, input_signature, **kwargs)
    archive.write_out(filepath, verbose=bool(verbose))
