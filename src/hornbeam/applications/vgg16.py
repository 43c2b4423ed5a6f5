"""VGG of 16 layers with weights."""

from __future__ import annotations

from hornbeam.applications.imagenet_utils import (
    Preprocessing,
    decode_predictions,
    preprocessing,
)
from hornbeam.applications.signatures import Standard
from hornbeam.applications.vgg import vgg

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

VGG16: Standard = vgg("VGG16", 138_357_544, (2, 2, 3, 3, 3))
preprocess_input: Preprocessing = preprocessing("caffe")
