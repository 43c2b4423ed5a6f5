"""ConvNeXt: convolutions arranged as the blocks of a transformer."""

from __future__ import annotations

from typing import Any, Protocol

from hornbeam import layers
from hornbeam.applications.assembly import Request, assemble, channels
from hornbeam.applications.imagenet_utils import (
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.scale_layers import LayerScale
from hornbeam.applications.signatures import (
    Activation,
    Pooling,
    Shape,
    Weights,
    documented,
)
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.models.model import Model
from hornbeam.models.sequential import Sequential

__all__ = [
    "ConvNeXtBase",
    "ConvNeXtLarge",
    "ConvNeXtSmall",
    "ConvNeXtTiny",
    "ConvNeXtXLarge",
    "decode_predictions",
    "preprocess_input",
]

_SCALE = 1e-6  # by what a block is multiplied at the start
_PAPER = 'Liu et al., "A ConvNet for the 2020s", 2022, https://arxiv.org/abs/2201.03545'


def _normalization(name):
    return layers.LayerNormalization(epsilon=1e-6, name=name)


def _block(x, name):
    """Add to `x` what a depthwise and two pointwise convolutions make of it."""
    inputs, number = x, channels(x)
    x = layers.Conv2D(
        number, 7, padding="same", groups=number, name=f"{name}_depthwise_conv"
    )(x)
    x = _normalization(f"{name}_layernorm")(x)
    x = layers.Dense(4 * number, name=f"{name}_pointwise_conv_1")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(number, name=f"{name}_pointwise_conv_2")(x)
    x = LayerScale(_SCALE, number, name=f"{name}_layer_scale")(x)
    return inputs + layers.Activation("linear", name=f"{name}_identity")(x)


def _trunk(x: Any, name: str, blocks: int, filters: int) -> Any:
    for stage, number in enumerate((3, 3, blocks, 3)):
        wide, part = filters * 2**stage, f"{name}_downsampling"
        if stage == 0:
            part = f"{name}_stem"
            convolution = layers.Conv2D(wide, 4, 4, name=f"{part}_conv")
            parts = [convolution, _normalization(f"{part}_layernorm")]
        else:
            convolution = layers.Conv2D(wide, 2, 2, name=f"{part}_conv_{stage - 1}")
            parts = [_normalization(f"{part}_layernorm_{stage - 1}"), convolution]
            part = f"{part}_block_{stage - 1}"
        x = Sequential(parts, name=part)(x)
        for i in range(number):
            x = _block(x, f"{name}_stage_{stage}_block_{i}")
    return x


def _scaled(x, name):
    return layers.Normalization(
        mean=[255 * mean for mean in IMAGENET_MEAN],
        variance=[(255 * deviation) ** 2 for deviation in IMAGENET_DEVIATION],
        name=f"{name}_prestem_normalization",
    )(x)


class _ConvNeXt(Protocol):
    """An architecture that can scale images itself."""

    def __call__(
        self,
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        name: str = ...,
    ) -> Model: ...


def convnext(kind: str, parameters: int, blocks: int, filters: int) -> _ConvNeXt:
    """Return the public function of a ConvNeXt.

    Args:
        kind: the end of its name.
        parameters: how many weights its default model has.
        blocks: how many blocks its third stage has.
        filters: of the first stage; each other has twice those of the one before.
    """
    title = f"ConvNeXt{kind}"

    def application(
        include_top: bool = True,
        include_preprocessing: bool = True,
        weights: Weights = "imagenet",
        input_tensor: KerasTensor | None = None,
        input_shape: Shape = None,
        pooling: Pooling = None,
        classes: int = 1000,
        classifier_activation: Activation = "softmax",
        name: str = f"convnext_{kind.lower()}",
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

        def top(x, classes, activation):
            x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
            x = _normalization(f"{name}_head_layernorm")(x)
            return layers.Dense(
                classes, activation=activation, name=f"{name}_head_dense"
            )(x)

        return assemble(
            title,
            lambda x: _trunk(x, name, blocks, filters),
            request,
            size=224,
            top=top,
            after=layers.LayerNormalization(epsilon=1e-6),
            before=(lambda x, _: _scaled(x, name)) if include_preprocessing else None,
        )

    return documented(application, title, parameters, _PAPER, size=224)


ConvNeXtTiny: _ConvNeXt = convnext("Tiny", 28_589_128, 9, 96)
ConvNeXtSmall: _ConvNeXt = convnext("Small", 50_223_688, 27, 96)
ConvNeXtBase: _ConvNeXt = convnext("Base", 88_591_464, 27, 128)
ConvNeXtLarge: _ConvNeXt = convnext("Large", 197_767_336, 27, 192)
ConvNeXtXLarge: _ConvNeXt = convnext("XLarge", 350_196_968, 27, 256)
preprocess_input: Preprocessing = preprocessing(None)
