"""TFSMLayer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam import backends
from hornbeam.core.errors import UnsafeFileError
from hornbeam.layers.layer import Layer
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from hornbeam.typing import Config, DTypePolicyLike, PathLike, Tensor


class TFSMLayer(Layer):
    """A function of a TensorFlow SavedModel as a layer, on the TensorFlow engine.

    What `model.export(folder)` wrote is such a SavedModel. Its variables are weights of
    the layer that `fit` does not train.

    Files do not load it: they would open the folder that they name.

    Args:
        filepath: the folder. What is in it runs: it must be one that you trust.
        call_endpoint: the name of the function, "serve" of `model.export`.
        call_training_endpoint: the function to call with `training=True`. Default: the
            same.
        trainable: accepted; see above.
        name: default: generated.
        dtype: as for `Layer`.

    >>> import tempfile
    >>> import hornbeam as keras
    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Rescaling(2.0)])
    >>> folder = tempfile.mkdtemp()
    >>> model.export(folder)
    >>> with keras.config.backend_scope("tensorflow"):
    ...     layer = keras.layers.TFSMLayer(folder)
    ...     layer(keras.ops.ones((1, 3))).numpy().tolist()
    [[2.0, 2.0, 2.0]]
    """

    def __init__(
        self,
        filepath: PathLike,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: DTypePolicyLike = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath: str = str(filepath)
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        engine = backends.current()
        if engine.read_saved_model is None:
            raise NotImplementedError(
                f"TFSMLayer runs on the TensorFlow backend, and the backend here is "
                f"{engine.name!r}. Make and call it inside "
                "`keras.config.backend_scope('tensorflow')`."
            )
        self._serve = self._serve_training = self._read(engine, call_endpoint)
        if call_training_endpoint is not None:
            self._serve_training = self._read(engine, call_training_endpoint)
        self._mark_built()

    def _read(self, engine, endpoint):
        """Return the function of that name, with its variables as weights."""
        try:
            run, values = engine.read_saved_model(self.filepath, endpoint)
        except ValueError as error:
            raise ValueError(
                f"The SavedModel {self.filepath!r} has no endpoint {endpoint!r}. It "
                f"has: {error}"
            ) from None
        for value in values:
            variable = self.add_weight(
                shape=engine.shape_of(value),
                initializer=lambda shape, dtype, value=value: value,
                dtype=engine.dtype_of(value),
                trainable=False,
                autocast=False,
            )
            variable._value = value
        return run

    @overridable
    def call(
        self, inputs: Tensor, training: bool | None = False, **kwargs: Any
    ) -> Tensor:
        """Call the function."""
        return (self._serve_training if training else self._serve)(inputs, **kwargs)

    @classmethod
    def from_config(
        cls,
        config: Config,
        custom_objects: Mapping[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Self:
        """Make a layer from what `get_config` returned, with `safe_mode=False` only.

        Args:
            config: what `get_config` returned.
            custom_objects: accepted.
            safe_mode: False allows to open the folder that the config names.
        """
        if safe_mode is not False:
            raise UnsafeFileError(
                "The config of a TFSMLayer names a folder, and what is in it would "
                f"run. If you trust it, call `TFSMLayer({config.get('filepath')!r})`."
            )
        return super().from_config(config)
