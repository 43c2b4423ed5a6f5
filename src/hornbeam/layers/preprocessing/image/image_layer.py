"""The bases of layers that transform images with their labels, boxes and masks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from hornbeam import backends, ops
from hornbeam.core.config import standardize_data_format
from hornbeam.core.dtypes import is_float_dtype
from hornbeam.core.errors import check_number, shown
from hornbeam.core.variable import Variable
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.graph.operation import infer
from hornbeam.layers.preprocessing.data_layer import DataLayer, on_engine_of_data
from hornbeam.losses.loss import is_ours
from hornbeam.ops.boxes.formats import BOX_FORMATS, box_format
from hornbeam.random.draw import settled
from hornbeam.typing import overridable

if TYPE_CHECKING:
    from typing import Any, Unpack

    from hornbeam.layers.keyword_arguments import LayerArguments
    from hornbeam.typing import Config, DataFormat, InputShape, Seed, Tensor

# The parts of a sample, and what transforms them: in a batch, and one alone.
_PARTS = {
    "images": ("transform_images", "transform_single_image"),
    "labels": ("transform_labels", "transform_single_label"),
    "bounding_boxes": ("transform_bounding_boxes", "transform_single_bounding_box"),
    "segmentation_masks": (
        "transform_segmentation_masks",
        "transform_single_segmentation_mask",
    ),
}


def _takes_one_image(method):
    """Let a method for a batch of images or masks take a single one."""

    @functools.wraps(method)
    def wrapped(self, x, *args, **kwargs):
        x = ops.convert_to_tensor(x)
        if len(x.shape) == 3:
            return method(self, x[None], *args, **kwargs)[0]
        return method(self, x, *args, **kwargs)

    return on_engine_of_data(wrapped)


def _takes_lists_of_boxes(method):
    """Let a method for boxes and their labels take lists and arrays."""

    @functools.wraps(method)
    def wrapped(self, bounding_boxes, *args, **kwargs):
        names = ("boxes", "labels")
        boxes = {name: ops.convert_to_tensor(bounding_boxes[name]) for name in names}
        return method(self, {**bounding_boxes, **boxes}, *args, **kwargs)

    return on_engine_of_data(wrapped)


# What methods of subclasses, written for batches, also do.
_WRAPPERS = {
    "transform_images": _takes_one_image,
    "transform_segmentation_masks": _takes_one_image,
    "transform_bounding_boxes": _takes_lists_of_boxes,
    "transform_labels": on_engine_of_data,
    "get_random_transformation": on_engine_of_data,
}


class ImageLayer(DataLayer):
    """A base for layers that transform images, and what belongs to them alike.

    A subclass writes `transform_images` for a batch, and of the other parts those that
    change with the images.

    Args:
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        bounding_box_format: how boxes are given, such as `"xyxy"`; needed where there
            are some.

    Call arguments: `data`: images of shape `(batch, height, width, channels)`, or one,
    `(height, width, channels)`; or a dict with the key `"images"` and any of
    `"labels"`, `"bounding_boxes"` (a dict of `"boxes"` and `"labels"`) and
    `"segmentation_masks"` (with or without an axis of channels). Other keys of it pass
    through. `training`: whether random layers transform. Default: True.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in vars(cls).keys() & _WRAPPERS.keys():
            setattr(cls, name, _WRAPPERS[name](vars(cls)[name]))

    _is_stateless = True
    # Whether `transform_images` has more steps than engines do well one by one.
    _fuses = False
    _convert_input_args = False
    _allow_non_tensor_positional_args = True

    def __init__(
        self,
        data_format: DataFormat | None = None,
        bounding_box_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(**kwargs)
        self.data_format: DataFormat = standardize_data_format(data_format)
        if bounding_box_format is not None:
            box_format(type(self).__name__, "bounding_box_format", bounding_box_format)
        self.bounding_box_format = bounding_box_format

    @overridable
    def call(self, data: Any, training: bool | None = True) -> Any:
        """Return the images transformed, or the dict with its parts transformed."""
        parts = data if isinstance(data, dict) else {"images": self._images(data)}
        parts = {k: self._as_tensors(k, v) for k, v in parts.items()}
        alone = self._check(parts) == 3
        given = parts if isinstance(data, dict) else parts["images"]
        transformation = self.get_random_transformation(given, training=training)
        for name in parts.keys() & _PARTS:
            transform = getattr(self, _PARTS[name][alone])
            part, flat = parts[name], self._is_flat(name, parts)
            # A mask of no channels is an image of one.
            part = ops.expand_dims(part, self._channels_axis) if flat else part
            if training and self._is_fused(name):
                part = backends.current().fused(transform, part, transformation)
            else:
                part = transform(part, transformation, training=training)
            parts[name] = ops.squeeze(part, self._channels_axis) if flat else part
        return parts if isinstance(data, dict) else parts["images"]

    @property
    def _channels_axis(self):
        return -1 if self.data_format == "channels_last" else -3

    def _is_flat(self, name, parts):
        """Whether a part holds masks without an axis of channels."""
        rank = len(parts["images"].shape)
        return name == "segmentation_masks" and len(parts[name].shape) == rank - 1

    def _is_fused(self, name):
        """Whether a part's transformation is one kernel on engines that ask for it.

        What users write may do more than compute with numbers.
        """
        return (
            self._fuses
            and backends.current().fused is not None
            and name in ("images", "segmentation_masks")
            and all(is_ours(getattr(self, method)) for method in _PARTS[name])
        )

    def _images(self, data):
        """Return data that are no dict: images, and not a pair of different things."""
        parts = data if isinstance(data, list | tuple) else ()
        shapes = [tuple(part.shape) for part in parts if hasattr(part, "shape")]
        if len(set(shapes)) > 1:
            raise ValueError(
                f"Layer {self.path!r} ({type(self).__name__}) expects images of one "
                "size, or a dict with the key 'images' and keys such as 'labels': "
                "{'images': images, 'labels': labels}. Received: a "
                f"{type(data).__name__} of parts with the shapes {shapes}"
            )
        return data

    def _check_box_counts(self, boxes):
        """Raise where samples have different numbers of boxes."""
        for name, part in boxes.items() if isinstance(boxes, dict) else ():
            rows = part if isinstance(part, list | tuple) else ()
            counts = {len(row) for row in rows if hasattr(row, "__len__")}
            if len(counts) > 1 or hasattr(part, "bounding_shape"):  # a ragged tensor
                raise ValueError(
                    f"Layer {self.path!r} ({type(self).__name__}) expects "
                    f"'bounding_boxes' with equally many boxes in each sample of a "
                    f"batch. Received: {name!r} of different lengths. Fill up with "
                    "rows of -1, for example with `keras.layers.MaxNumBoundingBoxes` "
                    "on each sample before batching."
                )

    def _as_tensors(self, name, part):
        """Return a part as tensors, floats of it in the compute dtype."""
        if name not in _PARTS:
            return part
        if name == "bounding_boxes":
            self._check_box_counts(part)
        if isinstance(part, dict):
            return {k: self._as_tensors(name, v) for k, v in part.items()}
        if isinstance(part, Variable):
            return self.convert_weight(part)
        x = ops.convert_to_tensor(part)
        casts = name == "images" and self.autocast and is_float_dtype(ops.dtype(x))
        return self._cast(x) if casts else x

    def _cast(self, images):
        """Return images in the dtype in which the layer computes."""
        return ops.cast(images, self.compute_dtype)

    def _check(self, parts):
        """Return the rank of the images, 4 or 3, or raise where a part cannot be."""
        owner = f"Layer {self.path!r} ({type(self).__name__})"
        if "images" not in parts:
            raise ValueError(
                f"{owner} expects a dict with the key 'images'. Received the keys: "
                f"{sorted(map(str, parts))}"
            )
        rank = len(parts["images"].shape)
        if rank not in (3, 4):
            raise ValueError(
                f"{owner} expects images of rank 3 (a single image) or 4 (a batch of "
                f"images). Received: shape {tuple(parts['images'].shape)}"
            )
        boxes = parts.get("bounding_boxes")
        if boxes is None:
            return rank
        if not isinstance(boxes, dict) or not {"boxes", "labels"} <= boxes.keys():
            raise ValueError(
                f"{owner} expects 'bounding_boxes' to be a dict with the keys 'boxes' "
                f"and 'labels'. Received: {shown(boxes)}"
            )
        if self.bounding_box_format is None:
            raise ValueError(
                f"{owner} received 'bounding_boxes', and does not know their format. "
                "Make it with `bounding_box_format=...`, for example 'xyxy'. Formats: "
                f"{', '.join(BOX_FORMATS)}."
            )
        return rank

    def get_random_transformation(
        self, data: Any, training: bool | None = True, seed: Seed = None
    ) -> Any:
        """Return what the transformations of all parts of `data` have in common.

        Args:
            data: what the layer is called with.
            training: whether the layer trains. Default: True.
            seed: a seed. Default: the layer's own generator.
        """
        return None

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return a batch of images, transformed."""
        raise self._not_written("transform_images")

    def transform_labels(
        self, labels: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the labels of a batch: as they are."""
        return labels

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes of a batch: as they are."""
        return bounding_boxes

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the masks of a batch: as they are."""
        return segmentation_masks

    def transform_single_image(
        self, image: Tensor, transformation: Any, training: bool | None = True
    ) -> Tensor:
        """Return one image, transformed."""
        return self.transform_images(image, transformation, training)

    def transform_single_label(
        self, label: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the label of one image, transformed."""
        return self.transform_labels(label[None], transformation, training)[0]

    def transform_single_bounding_box(
        self, bounding_box: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the boxes of one image, transformed."""
        boxes = {name: x[None] for name, x in bounding_box.items()}
        boxes = self.transform_bounding_boxes(boxes, transformation, training)
        return {name: x[0] for name, x in boxes.items()}

    def transform_single_segmentation_mask(
        self, segmentation_mask: Any, transformation: Any, training: bool | None = True
    ) -> Any:
        """Return the mask of one image, transformed."""
        return self.transform_segmentation_masks(
            segmentation_mask, transformation, training
        )

    def _axes(self, x):
        """Return the axes of height and width, counted from the end, of images."""
        return (-3, -2) if self.data_format == "channels_last" else (-2, -1)

    def _sizes(self, data):
        """Return how many images there are, their height and their width."""
        images = data["images"] if isinstance(data, dict) else data
        shape = ops.shape(images)
        height, width = (shape[axis] for axis in self._axes(images))
        return (shape[0] if len(shape) == 4 else 1), height, width

    def _input_shape(self, data):
        """Return the shape of the images, as a transformation tells it."""
        images = data["images"] if isinstance(data, dict) else data
        return ops.shape(images)

    def _size_of(self, transformation):
        """Return the height and width that a transformation tells."""
        shape = transformation["input_shape"]
        height, width = (-3, -2) if self.data_format == "channels_last" else (-2, -1)
        return shape[height], shape[width]

    @overridable
    def compute_output_shape(self, input_shape: InputShape) -> Any:
        """Return `input_shape`."""
        return input_shape

    def _output_dtype(self, dtype):
        """Return the dtype of transformed images of `dtype`."""
        return self.compute_dtype

    @overridable
    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the KerasTensors that the call would give."""
        data = args[0] if args else kwargs.get("data")
        if isinstance(data, KerasTensor):
            self._check({"images": data})
            shape = self.compute_output_shape(data.shape)
            return KerasTensor(tuple(shape), self._output_dtype(data.dtype))
        return infer(self.call, args, kwargs)

    def get_config(self) -> Config:
        """Return the config.

        Written by hand because a format of boxes is in it only where there is one.
        """
        config = super().get_config()
        if self.bounding_box_format is None:
            config.pop("bounding_box_format", None)
        return config


class RandomImageLayer(ImageLayer):
    """A base for layers that transform images at random while training.

    A subclass writes `draw(data, seed)`, which gives the random numbers of a batch as a
    dict, one row for each image, and `transform_images`, which gets that dict, or None
    where the layer does not train.

    Args:
        seed: an integer. Default: generated.
        data_format: `"channels_last"` or `"channels_first"`. Default: the setting.
        bounding_box_format: how boxes are given.
    """

    _fuses = True

    def __init__(
        self,
        seed: int | None = None,
        data_format: DataFormat | None = None,
        bounding_box_format: str | None = None,
        **kwargs: Unpack[LayerArguments],
    ) -> None:
        super().__init__(data_format, bounding_box_format, **kwargs)
        self._start_seeds(seed)

    def get_random_transformation(
        self, data: Any, training: bool | None = True, seed: Seed = None
    ) -> Any:
        """Draw a transformation for `data`; None if the layer does not train.

        Args:
            data: what the layer is called with.
            training: whether the layer trains. Default: True.
            seed: a seed. Default: the layer's own generator.
        """
        return settled(self.draw(data, self._seed(seed))) if training else None

    def draw(self, data: Any, seed: Seed) -> Any:
        """Return the random numbers of the transformation of `data`."""
        raise self._not_written("draw")


def factor_pair(
    layer: Any, argument: str, value: Any, low: float = -1.0, high: float = 1.0
) -> tuple[float, float]:
    """Return the range of a factor that is given as a number or as a pair.

    A number `f` stands for `(-f, f)`, or `(0, f)` where factors are not negative.

    Args:
        layer: whose argument it is, for the error.
        argument: its name.
        value: a number, or two.
        low: the least that it may be. Default: -1.
        high: the most that it may be. Default: 1.
    """
    owner = type(layer).__name__
    if isinstance(value, list | tuple) or getattr(value, "shape", ()) == (2,):
        if len(value) == 2:
            ends = [check_number(owner, argument, v, low, high) for v in value]
            return min(ends), max(ends)
        raise ValueError(
            f"Invalid value for argument `{argument}` of {owner}. Expected a number, "
            f"or two in [{low}, {high}]. Received: {argument}={value!r}"
        )
    size = abs(check_number(owner, argument, value, low, high))
    return max(low, -size), min(size, high)
