"""EfficientNet V2: early blocks use one convolution in the place of two."""

from __future__ import annotations

import math
from collections.abc import Callable
from string import ascii_lowercase
from typing import Any, Protocol

from hornbeam import layers
from hornbeam.applications.assembly import (
    Request,
    assemble,
    channel_axis,
    channels,
)
from hornbeam.applications.efficientnet import Parts, top
from hornbeam.applications.imagenet_utils import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.signatures import (
    Activation,
    Pooling,
    Shape,
    Weights,
    documented,
)
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.models.model import Model

__all__ = [
    "EfficientNetV2B0",
    "EfficientNetV2B1",
    "EfficientNetV2B2",
    "EfficientNetV2B3",
    "EfficientNetV2L",
    "EfficientNetV2M",
    "EfficientNetV2S",
    "decode_predictions",
    "preprocess_input",
]

# Of each stage: how much wider blocks are inside, strides, and whether they begin with
# one convolution in the place of two.
_STAGES = (
    *((1, 1, True), (4, 2, True), (4, 2, True), (4, 2, False), (6, 1, False)),
    *((6, 2, False), (6, 1, False)),
)
# Blocks and filters of each stage.
_B = ((1, 16), (2, 32), (2, 48), (3, 96), (5, 112), (8, 192))
_S = ((2, 24), (4, 48), (4, 64), (6, 128), (9, 160), (15, 256))
_M = ((3, 24), (5, 48), (5, 80), (7, 160), (14, 176), (18, 304), (5, 512))
_L = ((4, 32), (7, 64), (7, 96), (10, 192), (19, 224), (25, 384), (7, 640))
_LEFT_OUT = 0.2
_PAPER = (
    'Tan and Le, "EfficientNetV2: smaller models and faster training", 2021, '
    "https://arxiv.org/abs/2104.00298"
)


def _rounded(filters):
    """Return the multiple of 8 next to `filters`."""
    return max(8, int(filters + 4) // 8 * 8)


def _block(parts, x, stage, filters, strides, rate, name):
    inputs, before = x, channels(x)
    expansion, _, fused = _STAGES[stage]
    if fused and expansion == 1:
        x = parts.convolution(x, filters, 3, f"{name}project_conv", strides=strides)
        x = parts.normalized(x, f"{name}project_bn", f"{name}project_activation")
    else:
        kernel, step = (3, strides) if fused else (1, 1)
        number = expansion * before
        x = parts.convolution(x, number, kernel, f"{name}expand_conv", strides=step)
        x = parts.normalized(x, f"{name}expand_bn", f"{name}expand_activation")
        if not fused:
            x = parts.depthwise(x, 3, f"{name}dwconv2", strides=strides)
            x = parts.normalized(x, f"{name}bn", f"{name}activation")
            x = parts.weighed(x, max(1, before // 4), name)
        x = parts.convolution(x, filters, 1, f"{name}project_conv")
        x = parts.normalized(x, f"{name}project_bn")
    if before == filters and strides == 1:
        x = parts.added(x, inputs, rate, name)
    return x


class _V2(Protocol):
    """An architecture that can scale images itself."""

    def __call__(
        self,
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        include_preprocessing: bool = True,
        name: str = ...,
    ) -> Model: ...


def _trunk_of(stages, width, depth) -> Callable[[Any], Any]:
    parts = Parts(momentum=0.9)
    total = sum(blocks for blocks, _ in stages)

    def trunk(x):
        stem = _rounded(stages[0][1] * width if stages is not _B else 32 * width)
        x = parts.convolution(x, stem, 3, "stem_conv", strides=2)
        x = parts.normalized(x, "stem_bn", "stem_activation")
        number = 0
        for stage, (blocks, filters) in enumerate(stages):
            for i in range(math.ceil(depth * blocks)):
                name = f"block{stage + 1}{ascii_lowercase[i]}_"
                strides = _STAGES[stage][1] if i == 0 else 1
                rate = _LEFT_OUT * number / total
                wide = _rounded(filters * width)
                x = _block(parts, x, stage, wide, strides, rate, name)
                number += 1
        x = parts.convolution(x, _rounded(1280 * width), 1, "top_conv")
        return parts.normalized(x, "top_bn", "top_activation")

    return trunk


def _scaled(x, small):
    """Return what the network takes for pixels from 0 to 255."""
    if not small:
        return layers.Rescaling(1 / 128, offset=-1)(x)
    normalize = layers.Normalization(
        axis=channel_axis(),
        mean=IMAGENET_MEAN,
        variance=[deviation**2 for deviation in IMAGENET_DEVIATION],
    )
    return normalize(layers.Rescaling(1 / 255)(x))


def efficientnet_v2(
    kind: str,
    parameters: int,
    size: int,
    stages: tuple[tuple[int, int], ...] = _B,
    width: float = 1.0,
    depth: float = 1.0,
) -> _V2:
    """Return the public function of an EfficientNet V2.

    Args:
        kind: the end of its name.
        parameters: how many weights its default model has.
        size: the side of the images that its top was trained on.
        stages: blocks and filters of each stage. Default: those of B0
        width: what the numbers of filters are multiplied by. Default: 1.0
        depth: what the numbers of blocks are multiplied by. Default: 1.0
    """
    title, trunk = f"EfficientNetV2{kind}", _trunk_of(stages, width, depth)

    def application(
        include_top: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        include_preprocessing: bool = True,
        name: str = f"efficientnetv2-{kind.lower()}",
    ) -> Model:
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
            title,
            trunk,
            request,
            size=size,
            top=top(0.2),
            before=(lambda x, _: _scaled(x, stages is _B))
            if include_preprocessing
            else None,
        )

    return documented(application, title, parameters, _PAPER, size=size)


EfficientNetV2B0: _V2 = efficientnet_v2("B0", 7_200_312, 224)
EfficientNetV2B1: _V2 = efficientnet_v2("B1", 8_212_124, 240, depth=1.1)
EfficientNetV2B2: _V2 = efficientnet_v2("B2", 10_178_374, 260, width=1.1, depth=1.2)
EfficientNetV2B3: _V2 = efficientnet_v2("B3", 14_467_622, 300, width=1.2, depth=1.4)
EfficientNetV2S: _V2 = efficientnet_v2("S", 21_612_360, 384, _S)
EfficientNetV2M: _V2 = efficientnet_v2("M", 54_431_388, 480, _M)
EfficientNetV2L: _V2 = efficientnet_v2("L", 119_027_848, 480, _L)
preprocess_input: Preprocessing = preprocessing(None)
