"""VGG of 16 layers with weights."""

from __future__ import annotations

from hornbeam.applications.imagenet_utils import decode_predictions, preprocessing
from hornbeam.applications.vgg import vgg

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

VGG16 = vgg("VGG16", 138_357_544, (2, 2, 3, 3, 3))
preprocess_input = preprocessing("caffe")
