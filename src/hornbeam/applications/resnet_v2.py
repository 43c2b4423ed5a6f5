"""ResNet V2: normalisation and activation come before the convolutions of a block."""

from __future__ import annotations

from hornbeam import layers
from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.resnet import convolution, normalized, padded, rectified
from hornbeam.applications.signatures import Standard, standard

__all__ = [
    "ResNet101V2",
    "ResNet152V2",
    "ResNet50V2",
    "decode_predictions",
    "preprocess_input",
]

_PAPER = (
    'He et al., "Identity mappings in deep residual networks", 2016, '
    "https://arxiv.org/abs/1603.05027"
)


def _block(x, filters, name, strides=1, projects=False):
    """Add to `x` what 1x1, 3x3 and 1x1 convolutions make of it, normalised first."""
    active = rectified(normalized(x, f"{name}_preact"), f"{name}_preact_relu")
    if projects:
        shortcut = convolution(active, 4 * filters, 1, f"{name}_0", strides)
    else:
        shortcut = layers.MaxPooling2D(1, strides)(x) if strides > 1 else x
    x = convolution(active, filters, 1, f"{name}_1", use_bias=False)
    x = padded(rectified(normalized(x, f"{name}_1"), f"{name}_1_relu"), 1, f"{name}_2")
    x = convolution(x, filters, 3, f"{name}_2", strides, use_bias=False)
    x = rectified(normalized(x, f"{name}_2"), f"{name}_2_relu")
    x = convolution(x, 4 * filters, 1, f"{name}_3")
    return layers.Add(name=f"{name}_out")([shortcut, x])


def resnet_v2(title: str, parameters: int, blocks: tuple[int, ...]) -> Standard:
    """Return the public function of a ResNet V2 with so many blocks in each stage."""

    def trunk(x):
        x = convolution(padded(x, 3, "conv1"), 64, 7, "conv1", 2)
        x = layers.MaxPooling2D(3, 2, name="pool1_pool")(padded(x, 1, "pool1"))
        for stage, number in enumerate(blocks):
            for i in range(number):
                name = f"conv{stage + 2}_block{i + 1}"
                strides = 2 if stage < 3 and i == number - 1 else 1
                x = _block(x, 64 * 2**stage, name, strides, projects=not i)
        return rectified(normalized(x, "post"), "post_relu")

    return standard(title, parameters, trunk, paper=_PAPER)


ResNet50V2: Standard = resnet_v2("ResNet50V2", 25_613_800, (3, 4, 6, 3))
ResNet101V2: Standard = resnet_v2("ResNet101V2", 44_675_560, (3, 4, 23, 3))
ResNet152V2: Standard = resnet_v2("ResNet152V2", 60_380_648, (3, 8, 36, 3))
preprocess_input: Preprocessing = preprocessing("tf")
