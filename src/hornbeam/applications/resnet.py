"""ResNet: stages of bottleneck blocks, each added to what went in."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.applications.assembly import channel_axis
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.signatures import Standard, standard

__all__ = [
    "ResNet101",
    "ResNet152",
    "ResNet50",
    "decode_predictions",
    "preprocess_input",
]

_PAPER = (
    'He et al., "Deep residual learning for image recognition", 2016, '
    "https://arxiv.org/abs/1512.03385"
)


def convolution(
    x: Any, filters: int, kernel: int, name: str, strides: int = 1, **options: Any
) -> Any:
    """Return a convolution of `x`, the layer `<name>_conv`."""
    layer = layers.Conv2D(filters, kernel, strides, name=f"{name}_conv", **options)
    return layer(x)


def normalized(x: Any, name: str) -> Any:
    """Return `x` normalised over the batch, the layer `<name>_bn`."""
    return layers.BatchNormalization(
        axis=channel_axis(), epsilon=1.001e-5, name=f"{name}_bn"
    )(x)


def rectified(x: Any, name: str) -> Any:
    """Return the positive part of `x`, the layer `name`."""
    return layers.Activation("relu", name=name)(x)


def padded(x: Any, width: int, name: str) -> Any:
    """Return `x` with zeros around it, the layer `<name>_pad`."""
    return layers.ZeroPadding2D(width, name=f"{name}_pad")(x)


def _block(x, filters, name, strides=1, projects=False):
    """Add to `x` what 1x1, 3x3 and 1x1 convolutions, normalised, make of it."""
    shortcut = x
    if projects:
        shortcut = convolution(x, 4 * filters, 1, f"{name}_0", strides)
        shortcut = normalized(shortcut, f"{name}_0")
    x = normalized(convolution(x, filters, 1, f"{name}_1", strides), f"{name}_1")
    x = rectified(x, f"{name}_1_relu")
    x = convolution(x, filters, 3, f"{name}_2", padding="same")
    x = rectified(normalized(x, f"{name}_2"), f"{name}_2_relu")
    x = normalized(convolution(x, 4 * filters, 1, f"{name}_3"), f"{name}_3")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return rectified(x, f"{name}_out")


def resnet(title: str, parameters: int, blocks: tuple[int, ...]) -> Standard:
    """Return the public function of a ResNet with so many blocks in each stage."""

    def trunk(x):
        x = convolution(padded(x, 3, "conv1"), 64, 7, "conv1", 2)
        x = rectified(normalized(x, "conv1"), "conv1_relu")
        x = layers.MaxPooling2D(3, 2, name="pool1_pool")(padded(x, 1, "pool1"))
        for stage, number in enumerate(blocks):
            for i in range(number):
                name = f"conv{stage + 2}_block{i + 1}"
                strides = 2 if stage and not i else 1
                x = _block(x, 64 * 2**stage, name, strides, projects=not i)
        return x

    return standard(title, parameters, trunk, paper=_PAPER)


ResNet50: Standard = resnet("ResNet50", 25_636_712, (3, 4, 6, 3))
ResNet101: Standard = resnet("ResNet101", 44_707_176, (3, 4, 23, 3))
ResNet152: Standard = resnet("ResNet152", 60_419_944, (3, 8, 36, 3))
preprocess_input: Preprocessing = preprocessing("caffe")
