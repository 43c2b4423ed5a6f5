"""Meshes of devices, and how the axes of tensors lie along theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from hornbeam import backends
from hornbeam.distribution.devices import list_devices
from hornbeam.typing import Tensor, TensorLike


class DeviceMesh:
    """A grid of devices with a name for each of its axes.

    Args:
        shape: how many devices lie along each axis.
        axis_names: a name for each axis, such as `("batch", "model")`.
        devices: names of devices, as many as the shape says. Default:
            `list_devices()`.

    Attributes:
        devices: the names as an array of shape `shape`.

    Raises:
        ValueError: if shape, names and devices do not fit together.

    >>> import hornbeam as keras
    >>> mesh = keras.distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
    >>> mesh.shape, mesh.devices.tolist()
    ((1, 1), [['cpu:0']])
    """

    def __init__(
        self,
        shape: Sequence[int],
        axis_names: Sequence[str],
        devices: Sequence[str] | None = None,
    ):
        if not shape or not axis_names or len(shape) != len(axis_names):
            raise ValueError(
                "DeviceMesh needs one name for each axis of its shape, and at least "
                f"one axis. Received: shape={shape}, axis_names={axis_names}"
            )
        names = np.array(list_devices() if devices is None else devices)
        if names.size != np.prod(shape):
            raise ValueError(
                f"A DeviceMesh of shape {tuple(shape)} needs {np.prod(shape)} devices. "
                f"Received {names.size}: {names.ravel().tolist()}"
            )
        self.shape: tuple[int, ...] = tuple(shape)
        self.axis_names: Sequence[str] = axis_names
        self.devices: np.ndarray = names.reshape(shape)

    def __repr__(self) -> str:
        return f"<DeviceMesh shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """Along which axes of a mesh the axes of a tensor are split.

    Args:
        axes: for each axis of the tensor, the name of an axis of the mesh, or None
            where each device has all of it.
        device_mesh: the mesh; it may be set later, once. Default: None

    Raises:
        ValueError: if the mesh lacks one of the names.

    >>> import hornbeam as keras
    >>> mesh = keras.distribution.DeviceMesh((1,), ("batch",), ["cpu:0"])
    >>> keras.distribution.TensorLayout(("batch", None), mesh).axes
    ('batch', None)
    """

    def __init__(
        self, axes: Sequence[str | None], device_mesh: DeviceMesh | None = None
    ):
        self.axes: tuple[str | None, ...] = tuple(axes)
        self._device_mesh: DeviceMesh | None = None
        if device_mesh is not None:
            self.device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh, or None."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ValueError(
                f"{self!r} has a mesh already. Make a new TensorLayout for another one."
            )
        unknown = [name for name in self.axes if name and name not in mesh.axis_names]
        if unknown:
            raise ValueError(
                f"TensorLayout has the axes {self.axes}, of which {mesh} lacks "
                f"{unknown}. Use its `axis_names`, and None for what is not split."
            )
        self._device_mesh = mesh

    def __repr__(self) -> str:
        return f"<TensorLayout axes={self.axes}, device_mesh={self._device_mesh}>"


TensorLayoutLike: TypeAlias = TensorLayout | Sequence[str | None]


class LayoutMap(MutableMapping[str, TensorLayout | None]):
    """Layouts by the paths of variables; a key is a regular expression of paths.

    `layout_map[path]` is the layout of the key that equals the path, or else of the one
    that matches all of it, or None. If several match, it raises a ValueError.

    Args:
        device_mesh: the mesh of the layouts that come without one.

    >>> import hornbeam as keras
    >>> mesh = keras.distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
    >>> layout_map = keras.distribution.LayoutMap(mesh)
    >>> layout_map[".*dense.*kernel"] = (None, "model")
    >>> layout_map["block/dense_1/kernel"].axes
    (None, 'model')
    >>> print(layout_map["block/dense_1/bias"])
    None
    """

    def __init__(self, device_mesh: DeviceMesh):
        self.device_mesh: DeviceMesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}

    def __getitem__(self, key: str) -> TensorLayout | None:
        """Return the layout for a path, or None."""
        if key in self._layouts:
            return self._layouts[key]
        matching = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"The LayoutMap has several keys that match the path {key!r}: "
                f"{matching}. Write them so that one does."
            )
        return self._layouts[matching[0]] if matching else None

    def __setitem__(self, key: str, layout: Any) -> None:
        """Add a layout: a TensorLayout or the axes of one."""
        if key in self._layouts:
            raise ValueError(
                f"The LayoutMap has {self._layouts[key]} for {key!r} already. Delete "
                "it first to put another one in its place."
            )
        if isinstance(layout, tuple | list):
            layout = TensorLayout(layout)
        if not isinstance(layout, TensorLayout):
            raise ValueError(
                f"The layout for {key!r} must be a TensorLayout or a tuple of names of "
                f"axes. Received: {layout!r}"
            )
        if layout.device_mesh is None:
            layout.device_mesh = self.device_mesh
        self._layouts[key] = layout

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __contains__(self, key: object) -> bool:
        return key in self._layouts

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)

    def __len__(self) -> int:
        return len(self._layouts)


def distribute_tensor(tensor: TensorLike, layout: TensorLayout) -> Tensor:
    """Return a tensor laid out over the devices of the layout's mesh.

    Args:
        tensor: a tensor or an array.
        layout: a TensorLayout whose mesh has one device.

    Raises:
        NotImplementedError: if the mesh has several devices.

    >>> import hornbeam as keras
    >>> mesh = keras.distribution.DeviceMesh((1,), ("batch",), ["cpu:0"])
    >>> layout = keras.distribution.TensorLayout(("batch", None), mesh)
    >>> keras.distribution.distribute_tensor([[1.0, 2.0]], layout).shape
    (1, 2)
    """
    if not isinstance(layout, TensorLayout) or layout.device_mesh is None:
        raise ValueError(
            "distribute_tensor() needs a TensorLayout with a mesh as `layout`. "
            f"Received: {layout!r}"
        )
    name = one_device(layout.device_mesh, "distribute_tensor()")
    engine = backends.current()
    with engine.device_scope(name):
        return engine.on_device(engine.convert(tensor))


def one_device(mesh: DeviceMesh, what: str) -> str:
    """Return the name of a mesh's device, or raise that it has several."""
    if mesh.devices.size > 1:
        raise NotImplementedError(
            f"{what} was given {mesh}, which spreads tensors over "
            f"{mesh.devices.size} devices: that exists in Keras and not yet in "
            "hornbeam. Use a mesh of one device, or choose the device of the program "
            "with `keras.config.set_device`."
        )
    return str(mesh.devices.item())
