"""Which layouts the data and the variables of a program have."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from hornbeam import backends
from hornbeam.core.variable import Variable
from hornbeam.core.warning import warn
from hornbeam.distribution.devices import list_devices
from hornbeam.distribution.layouts import (
    DeviceMesh,
    LayoutMap,
    TensorLayout,
    one_device,
)

_in_force: list[Distribution] = []  # one at most, for all threads


class Distribution:
    """The base of distributions: data are split along one axis of the mesh.

    Args:
        device_mesh: the mesh.
        batch_dim_name: the name of the axis of the mesh along which data are split.
        auto_shard_dataset: whether each process reads a part of the data.
    """

    def __init__(
        self, device_mesh: DeviceMesh, batch_dim_name: str, auto_shard_dataset: bool
    ):
        self.device_mesh: DeviceMesh = device_mesh
        self.batch_dim_name: str = batch_dim_name
        self.auto_shard_dataset: bool = auto_shard_dataset
        self.num_processes: int = 1

    @property
    def num_model_replicas(self) -> int:
        """Into how many parts a batch is split."""
        place = list(self.device_mesh.axis_names).index(self.batch_dim_name)
        return self.device_mesh.shape[place]

    def get_data_layout(self, data_shape: Sequence[int | None]) -> TensorLayout:
        """Return the layout of a batch of this shape: its first axis is split.

        Args:
            data_shape: the shape, with the axis of the batch first.
        """
        axes = [self.batch_dim_name, *[None] * len(data_shape)][: len(data_shape)]
        return TensorLayout(axes, self.device_mesh)

    def get_variable_layout(self, variable: Variable) -> TensorLayout:
        """Return the layout of a variable.

        Args:
            variable: a Variable.
        """
        return TensorLayout([None] * len(variable.shape), self.device_mesh)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Return the layout of the tensor of a path, or None.

        Args:
            path: the path of a layer, with "/output" for what it returns.
        """
        return None

    def distribute_dataset(self, dataset: Any) -> Any:
        """Return what this process reads of a data set: all of it.

        Args:
            dataset: a data set.
        """
        return dataset

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        """Return a block in which this distribution is in force."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(before)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Each device has all variables, and a part of each batch.

    Args:
        device_mesh: a mesh; of several axes, the first one splits the data.
            Default: None, for a mesh of `devices`.
        devices: names of devices. Default: `list_devices()`.
        auto_shard_dataset: whether each process reads a part of the data.
            Default: True

    >>> import hornbeam as keras
    >>> distribution = keras.distribution.DataParallel(devices=["cpu:0"])
    >>> distribution.get_data_layout((32, 10)).axes
    ('batch', None)
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Sequence[str] | None = None,
        auto_shard_dataset: bool = True,
    ):
        if device_mesh is None:
            names = list_devices() if devices is None else devices
            device_mesh = DeviceMesh((len(names),), ("batch",), names)
        if not isinstance(device_mesh, DeviceMesh):
            raise ValueError(
                "DataParallel needs a DeviceMesh as `device_mesh`. Received: "
                f"{device_mesh!r}"
            )
        first, *others = device_mesh.axis_names
        if others:
            warn(
                f"DataParallel splits data along the first axis of {device_mesh}, "
                f"{first!r}; along {others} all devices do the same."
            )
        super().__init__(device_mesh, first, auto_shard_dataset)


class ModelParallel(Distribution):
    """Variables are split over the devices, as a LayoutMap says, and so are data.

    Args:
        layout_map: the layouts by paths of variables; others are whole on each device.
        batch_dim_name: the axis of the mesh along which data are split. Default: the
            mesh's first one.
        auto_shard_dataset: whether each process reads a part of the data.
            Default: True

    Raises:
        ValueError: if there is no `layout_map`, or its mesh has no axis of that name.

    >>> import hornbeam as keras
    >>> mesh = keras.distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
    >>> layout_map = keras.distribution.LayoutMap(mesh)
    >>> layout_map[".*kernel"] = (None, "model")
    >>> distribution = keras.distribution.ModelParallel(layout_map=layout_map)
    >>> with distribution.scope():
    ...     dense = keras.layers.Dense(3)
    ...     dense.build((None, 2))
    >>> distribution.get_variable_layout(dense.kernel).axes
    (None, 'model')
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
    ):
        if not isinstance(layout_map, LayoutMap):
            raise ValueError(
                "ModelParallel needs a LayoutMap as `layout_map`. Received: "
                f"{layout_map!r}"
            )
        mesh = layout_map.device_mesh
        name = batch_dim_name or mesh.axis_names[0]
        if name not in mesh.axis_names:
            raise ValueError(
                f"ModelParallel's `batch_dim_name` must be an axis of {mesh}. "
                f"Received: {batch_dim_name!r}"
            )
        super().__init__(mesh, name, auto_shard_dataset)
        self._layout_map = layout_map

    def get_variable_layout(self, variable: Variable) -> TensorLayout:
        """Return the layout of a variable: the map's, or whole on each device.

        Args:
            variable: a Variable.
        """
        found = self._layout_map[variable.path]
        return found or super().get_variable_layout(variable)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Return the layout that the map has for a path, or None.

        Args:
            path: the path of a layer, with "/output" for what it returns.
        """
        return self._layout_map[path]


def distribution() -> Distribution | None:
    """Return the distribution in force, or None.

    >>> import hornbeam as keras
    >>> print(keras.distribution.distribution())
    None
    """
    return _in_force[0] if _in_force else None


def set_distribution(value: Distribution | None) -> None:
    """Let a distribution be in force from now on.

    Args:
        value: a DataParallel or ModelParallel whose mesh has one device, or None.

    Raises:
        NotImplementedError: if the mesh has several devices.
        ValueError: if its device is not the one on which new tensors are made.

    >>> import hornbeam as keras
    >>> one = keras.distribution.DataParallel(devices=["cpu:0"])
    >>> keras.distribution.set_distribution(one)
    >>> keras.distribution.distribution() is one
    True
    >>> keras.distribution.set_distribution(None)
    """
    if value is not None:
        if not isinstance(value, Distribution):
            raise ValueError(
                "set_distribution() needs a DataParallel, a ModelParallel or None. "
                f"Received: {value!r}"
            )
        device = one_device(value.device_mesh, "set_distribution()")
        default = backends.current().default_device()
        if device != default:
            raise ValueError(
                f"set_distribution() was given a mesh of the device {device!r}, but "
                f"new tensors are made on {default!r}. Call "
                f"`keras.config.set_device({device!r})` first."
            )
    _in_force[:] = [] if value is None else [value]
