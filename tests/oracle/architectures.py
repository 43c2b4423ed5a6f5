"""Architectures of `keras.applications`, described and run: for both libraries."""

import contextlib
import inspect
import re

import numpy as np

# Names that Keras makes of a class and a number in the process.
GENERATED = re.compile(
    "(activation|add|average_pooling2d|batch_normalization|concatenate|conv2d|cropping2d|"
    "custom_scale_layer|dropout|"
    "flatten|global_average_pooling2d|hard_sigmoid|input_layer|lambda|max_pooling2d|"
    r"multiply|normalization|re_lu|rescaling|reshape|separable_conv2d|zero_padding2d)(_\d+)?"
)
# What a config may say in two ways, or differently at each start.
NOT_COMPARED = {"batch_shape", "seed", "dtype", "name", "layers"}


@contextlib.contextmanager
def zeros_at_start(keras):
    """Let random initializers of Keras give zeros, which takes no time."""
    kinds = [
        kind
        for kind in vars(keras.initializers).values()
        if isinstance(kind, type) and "seed" in inspect.signature(kind).parameters
    ]
    before = [(kind, kind.__call__) for kind in kinds]
    for kind in kinds:
        kind.__call__ = lambda self, shape, dtype=None, **_: np.zeros(shape, "float32")
    try:
        yield
    finally:
        for kind, call in before:
            kind.__call__ = call


def plain_name(name):
    """Return a name without what depends on what was made before."""
    found = GENERATED.fullmatch(name)
    return found[1] if found else name


def describe(model):
    """Return what the layers are, how they are connected, and their weights."""
    return {
        "name": model.name,
        "parameters": model.count_params(),
        "input_shape": model.input_shape,
        "output_shape": model.output_shape,
        "layers": [
            (
                plain_name(layer.name),
                type(layer).__name__,
                tuple(
                    plain_name(x._keras_history.operation.name)
                    for node in layer._inbound_nodes
                    for x in node.input_tensors
                ),
                tuple(
                    (
                        re.sub(r"variable_\d+", "variable", w.path.rpartition("/")[2]),
                        tuple(w.shape),
                        bool(w.trainable),
                    )
                    for w in layer.weights
                ),
                settings(layer),
            )
            for layer in every_layer(model)
        ],
    }


def every_layer(model):
    """Yield the layers of a model; after a model among them, the layers of that one."""
    for layer in model.layers:
        yield layer
        if hasattr(layer, "layers"):
            yield from every_layer(layer)


def settings(layer):
    """Return the config of a layer as text a key; nests are left out."""
    return {
        key: repr(list(value) if isinstance(value, tuple) else value)
        for key, value in layer.get_config().items()
        if key not in NOT_COMPARED and not isinstance(value, dict)
    }


def fill(model):
    """Give a model weights that depend on their shapes alone, of a small size."""
    random = np.random.default_rng(0)
    values = []
    for weight in model.weights:
        shape, name = tuple(weight.shape), weight.path.rpartition("/")[2]
        value = random.standard_normal(shape).astype("float32")
        if "variance" in name or name == "gamma":
            value = 1 + 0.1 * np.abs(value)
        elif len(shape) > 1:
            value /= np.sqrt(max(np.prod(shape[:-1]), 1))
        else:
            value *= 0.1
        values.append(value)
    model.set_weights(values)
    return model


def images(side):
    return (
        np.random.default_rng(1).uniform(0, 255, (2, side, side, 3)).astype("float32")
    )


def build(keras, name, arguments):
    return getattr(keras.applications, name)(weights=None, **arguments)


def descriptions(keras, cases):
    """Return a description for each case of name and arguments."""
    with zeros_at_start(keras):
        return [describe(build(keras, *case)) for case in cases]


def outputs(keras, name, arguments, side, path=None):
    """Return what an architecture makes of images, with fixed weights; save it."""
    with zeros_at_start(keras):
        model = fill(build(keras, name, arguments))
    if path is not None:
        model.save(path)
    return np.asarray(model.predict(images(side), verbose=0))


def preprocessed(keras, cases):
    """Return what `preprocess_input` of each namespace makes of images."""
    return [
        np.asarray(
            getattr(keras.applications, space).preprocess_input(
                x.copy(), data_format=data_format
            )
        )
        for space, x, data_format in cases
    ]
