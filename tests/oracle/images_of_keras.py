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
