"""NASNet: cells that a search found, normal ones and ones that halve the sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hornbeam import layers
from hornbeam.applications.assembly import (
    Request,
    assemble,
    channel_axis,
    channels,
)
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.scaling import padding_for_strides
from hornbeam.applications.signatures import (
    Activation,
    Pooling,
    Shape,
    Weights,
    documented,
)
from hornbeam.core.config import image_data_format
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.models.model import Model

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


def _rectified(x, name=None):
    return layers.Activation("relu", name=name)(x)


def _normalized(x, name):
    return layers.BatchNormalization(
        axis=channel_axis(), momentum=0.9997, epsilon=1e-3, name=name
    )(x)


def _convolution(x, filters, name, kernel=1, strides=1, padding="same"):
    return layers.Conv2D(
        filters,
        kernel,
        strides,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _separable(x, filters, kernel, name, strides=1):
    """Return `x` after two separable convolutions, each activated before."""
    x, padding = _rectified(x), "same"
    if strides == 2:
        around: Any = padding_for_strides(x, kernel)
        x = layers.ZeroPadding2D(around, name=f"separable_conv_1_pad_{name}")(x)
        padding = "valid"
    for i in (1, 2):
        x = _rectified(x) if i == 2 else x
        x = layers.SeparableConv2D(
            filters,
            kernel,
            strides if i == 1 else 1,
            padding=padding if i == 1 else "same",  # type: ignore[arg-type]
            use_bias=False,
            name=f"separable_conv_{i}_{name}",
        )(x)
        x = _normalized(x, f"separable_conv_{i}_bn_{name}")
    return x


def _sides(x):
    return x.shape[2:] if channel_axis() == 1 else x.shape[1:3]


def _adjusted(before, x, filters, name):
    """Return what came before `x`, of the sides of `x` and so many filters."""
    if before is None:
        return x
    if _sides(before) != _sides(x):
        before = _rectified(before, f"adjust_relu_1_{name}")
        # The second half looks at the pixels in between.
        moved = layers.ZeroPadding2D(((0, 1), (0, 1)))(before)
        moved = layers.Cropping2D(((1, 0), (1, 0)))(moved)
        halves = []
        for i, half in enumerate((before, moved), 1):
            half = layers.AveragePooling2D(1, 2, name=f"adjust_avg_pool_{i}_{name}")(
                half
            )
            halves.append(_convolution(half, filters // 2, f"adjust_conv_{i}_{name}"))
        before = layers.Concatenate(axis=channel_axis())(halves)
    elif channels(before) != filters:
        before = _rectified(before)
        before = _convolution(before, filters, f"adjust_conv_projection_{name}")
    else:
        return before
    return _normalized(before, f"adjust_bn_{name}")


def _normal_cell(x, before, filters, name):
    p = _adjusted(before, x, filters, name)
    h = _convolution(_rectified(x), filters, f"normal_conv_1_{name}")
    h = _normalized(h, f"normal_bn_1_{name}")

    def separable(x, kernel, place):
        return _separable(x, filters, kernel, f"normal_{place}_{name}")

    def pooled(x, place):
        part = f"normal_{place}_{name}"
        return layers.AveragePooling2D(3, 1, padding="same", name=part)(x)

    pairs: list[Callable[[], Any]] = [
        lambda: [separable(h, 5, "left1"), separable(p, 3, "right1")],
        lambda: [separable(p, 5, "left2"), separable(p, 3, "right2")],
        lambda: [pooled(h, "left3"), p],
        lambda: [pooled(p, "left4"), pooled(p, "right4")],
        lambda: [separable(h, 3, "left5"), h],
    ]
    parts = [p]
    for i, pair in enumerate(pairs, 1):
        parts.append(layers.Add(name=f"normal_add_{i}_{name}")(pair()))
    name = f"normal_concat_{name}"
    return layers.Concatenate(axis=channel_axis(), name=name)(parts)


def _reduction_cell(x, before, filters, name):
    p = _adjusted(before, x, filters, name)
    h = _convolution(_rectified(x), filters, f"reduction_conv_1_{name}")
    h = _normalized(h, f"reduction_bn_1_{name}")
    around: Any = padding_for_strides(h, 3)
    padded = layers.ZeroPadding2D(around, name=f"reduction_pad_1_{name}")(h)

    def separable(x, kernel, place, strides=2):
        return _separable(x, filters, kernel, f"reduction_{place}_{name}", strides)

    def pooled(kind, place):
        return kind(3, 2, name=f"reduction_{place}_{name}")(padded)

    def added(parts, place):
        return layers.Add(name=f"reduction_{place}_{name}")(parts)

    average, largest = layers.AveragePooling2D, layers.MaxPooling2D
    x1 = added([separable(h, 5, "left1"), separable(p, 7, "right1")], "add_1")
    x2 = added([pooled(largest, "left2"), separable(p, 7, "right2")], "add_2")
    x3 = added([pooled(average, "left3"), separable(p, 5, "right3")], "add3")
    part = average(3, 1, padding="same", name=f"reduction_left4_{name}")(x1)
    x4 = layers.Add()([x2, part])
    x5 = added([separable(x1, 3, "left4", 1), pooled(largest, "right5")], "add4")
    name = f"reduction_concat_{name}"
    return layers.Concatenate(axis=channel_axis(), name=name)([x2, x3, x4, x5])


def _trunk(x, stem, filters, blocks, skips):
    x = _convolution(x, stem, "stem_conv1", 3, 2, "valid")
    x, before = _normalized(x, "stem_bn1"), None
    for i, part in ((1, filters // 4), (2, filters // 2)):
        x, before = _reduction_cell(x, before, part, f"stem_{i}"), x
    for stage in range(3):
        if stage:
            name = f"reduce_{stage * blocks}"
            reduced = _reduction_cell(x, before, filters * 2**stage, name)
            x, before = reduced, before if skips else x
        for i in range(blocks):
            name = str(stage * blocks + i + (1 if stage else 0))
            x, before = _normal_cell(x, before, filters * 2**stage, name), x
    return _rectified(x)


def _top(x, classes, activation):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)


class _NASNet(Protocol):
    """An architecture of NASNet."""

    def __call__(
        self,
        input_shape: Shape = None,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        name: str = ...,
    ) -> Model: ...


def nasnet(
    kind: str, parameters: int, size: int, *trunk: Any, any_size: bool = False
) -> _NASNet:
    """Return the public function of a NASNet.

    Args:
        kind: the end of its name.
        parameters: how many weights its default model has.
        size: the side of the images that it was trained on.
        trunk: filters of the first convolution and of the first cells, cells of each
            stage, and whether cells after a reduction see what came before it.
        any_size: whether without its top it takes images of any size. Default: False
    """
    title = f"NASNet{kind}"

    def application(
        input_shape: Shape = None,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        name: str = f"nasnet_{kind.lower()}",
    ) -> Model:
        if input_shape is None and not any_size:
            first = image_data_format() == "channels_first"
            input_shape = (3, size, size) if first else (size, size, 3)
        request = Request(
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            name=name,
        )
        return assemble(
            title, lambda x: _trunk(x, *trunk), request, size=size, top=_top
        )

    paper = (
        'Zoph et al., "Learning transferable architectures for scalable image '
        'recognition", 2018, https://arxiv.org/abs/1707.07012'
    )
    return documented(application, title, parameters, paper, size=size)


NASNetMobile: _NASNet = nasnet("Mobile", 5_326_716, 224, 32, 44, 4, False)
NASNetLarge: _NASNet = nasnet("Large", 88_949_818, 331, 96, 168, 6, True, any_size=True)
preprocess_input: Preprocessing = preprocessing("tf")
