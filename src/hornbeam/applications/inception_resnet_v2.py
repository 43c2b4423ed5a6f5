"""Inception-ResNet V2: branches of convolutions, added to what went in."""

from __future__ import annotations

from typing import Any

from hornbeam import layers
from hornbeam.applications.assembly import channel_axis, channels
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.inception_v3 import (
    block,
    branched,
    reduction,
    side_by_side,
    stem,
)
from hornbeam.applications.scale_layers import CustomScaleLayer
from hornbeam.applications.signatures import Standard, standard

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

# Branches, as in `inception_v3.py`.
_FIRST = (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))
_FIRST_REDUCTION = (((384, 3, "smaller"),), ((256, 1), (256, 3), (384, 3, "smaller")))
_SECOND_REDUCTION = (
    ((256, 1), (384, 3, "smaller")),
    ((256, 1), (288, 3, "smaller")),
    ((256, 1), (288, 3), (320, 3, "smaller")),
)
# Of each kind of block: branches, by what their sum is multiplied, how many.
_BLOCK35 = (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3)))
_BLOCK17 = (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1))))
_BLOCK8 = (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1))))


def _residual(x, branches, scale, name, activates=True):
    parts = [branched(x, branch) for branch in branches]
    mixed = side_by_side(parts, f"{name}_mixed")
    more: Any = {"padding": "same", "name": f"{name}_conv"}
    new = layers.Conv2D(channels(x), 1, **more)(mixed)
    x = CustomScaleLayer(scale)([x, new])
    return layers.Activation("relu", name=f"{name}_ac")(x) if activates else x


def _trunk(x: Any) -> Any:
    x = block(stem(x), _FIRST, 64, "mixed_5b")
    for i in range(1, 11):
        x = _residual(x, _BLOCK35, 0.17, f"block35_{i}")
    x = reduction(x, _FIRST_REDUCTION, "mixed_6a")
    for i in range(1, 21):
        x = _residual(x, _BLOCK17, 0.1, f"block17_{i}")
    x = reduction(x, _SECOND_REDUCTION, "mixed_7a")
    for i in range(1, 10):
        x = _residual(x, _BLOCK8, 0.2, f"block8_{i}")
    x = _residual(x, _BLOCK8, 1.0, "block8_10", activates=False)
    x = layers.Conv2D(1536, 1, padding="same", use_bias=False, name="conv_7b")(x)
    x = layers.BatchNormalization(axis=channel_axis(), scale=False, name="conv_7b_bn")(
        x
    )
    return layers.Activation("relu", name="conv_7b_ac")(x)


InceptionResNetV2: Standard = standard(
    "InceptionResNetV2",
    55_873_736,
    _trunk,
    paper='Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual '
    'connections on learning", 2017, https://arxiv.org/abs/1602.07261',
    size=299,
    least=75,
    default_name="inception_resnet_v2",
)
preprocess_input: Preprocessing = preprocessing("tf")
