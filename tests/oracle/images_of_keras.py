"""For test_images.py: what Keras's functions of boxes and layers of images give."""

import numpy as np


def plain(x):
    """Return a nest of NumPy arrays."""
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, tuple | list):
        return [plain(v) for v in x]
    return np.array(x) if hasattr(x, "shape") else x


def of_boxes(keras, cases):
    """Return what each function gives: cases of name and arguments."""
    functions = keras.utils.bounding_boxes
    return [plain(getattr(functions, name)(**given)) for name, given in cases]


def of_layers(keras, cases):
    """Return what layers make of the parts of a sample, given their transformation."""
    return [plain(of_layer(keras, *case)) for case in cases]


def of_layer(keras, name, arguments, parts, transformation):
    """Return the parts, transformed."""
    layer = getattr(keras.layers, name)(**arguments)
    given = (transformation,) if transformation is not None else ()
    if not given:
        size = {"input_shape": parts["images"].shape}
        given = (parts["images"].shape[1:3] if name == "Resizing" else size,)
    found = {}
    for part, value in parts.items():
        value = dict(value) if isinstance(value, dict) else value
        found[part] = getattr(layer, f"transform_{part}")(value, *given)
    return found
