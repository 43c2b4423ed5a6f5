"""Configs of Keras 1, Keras 2 and tf.keras, rewritten as configs of Keras 3.

Data becomes data: nothing is looked up, made or run here. `deserialize_keras_object`
asks for every config of an object of ours, so all ways in read old configs: HDF5 files,
`.keras` files, JSON, and `from_config` of a model.
"""

from __future__ import annotations

from typing import Any

from hornbeam.core.warning import warn

# Classes under their names of Keras 1 and 2.
_CLASS_NAMES = {
    "AtrousConvolution1D": "Conv1D",
    "AtrousConvolution2D": "Conv2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Container": "Functional",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "Convolution3D": "Conv3D",
    "CuDNNGRU": "GRU",
    "CuDNNLSTM": "LSTM",
    "Deconvolution2D": "Conv2DTranspose",
    "Deconvolution3D": "Conv3DTranspose",
    # The name of the class in Keras 3, which files without modules have.
    "GroupedQueryAttention": "GroupQueryAttention",
    "Policy": "DTypePolicy",
    "PolicyV1": "DTypePolicy",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
    "ThresholdedReLU": "ReLU",
    "TimeDistributedDense": "Dense",
    # What tf-keras 2.11 and later call their optimizers.
    **{
        f"Custom>{name}": name
        for name in "Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lion Nadam "
        "RMSprop SGD".split()
    },
}
# The layers that Keras 1 had as modes of one class.
_MERGES = {
    "ave": "Average",
    "concat": "Concatenate",
    "cos": "Dot",
    "dot": "Dot",
    "max": "Maximum",
    "mul": "Multiply",
    "sum": "Add",
}

_RENAMED = {
    "U_regularizer": "recurrent_regularizer",
    "W_constraint": "kernel_constraint",
    "W_regularizer": "kernel_regularizer",
    "atrous_rate": "dilation_rate",
    "b_constraint": "bias_constraint",
    "b_regularizer": "bias_regularizer",
    "beta_init": "beta_initializer",
    "bias": "use_bias",
    "border_mode": "padding",
    "depthwise_init": "depthwise_initializer",
    "dim_ordering": "data_format",
    "dropout_U": "recurrent_dropout",
    "dropout_W": "dropout",
    "filter_length": "kernel_size",
    "gamma_init": "gamma_initializer",
    "init": "kernel_initializer",
    "inner_activation": "recurrent_activation",
    "inner_init": "recurrent_initializer",
    "lr": "learning_rate",
    "nb_filter": "filters",
    "output_dim": "units",
    "p": "rate",
    "pointwise_init": "pointwise_initializer",
    "pool_length": "pool_size",
    "stride": "strides",
    "subsample": "strides",
    "subsample_length": "strides",
}
_RENAMED_IN = {
    "Embedding": {
        "W_constraint": "embeddings_constraint",
        "W_regularizer": "embeddings_regularizer",
        "init": "embeddings_initializer",
        "output_dim": "output_dim",
    },
    "GaussianDropout": {"sigma": "rate"},
    "GaussianNoise": {"sigma": "stddev"},
    "InputLayer": {"batch_input_shape": "batch_shape", "input_dtype": "dtype"},
    "LeakyReLU": {"alpha": "negative_slope"},
    "PReLU": {"init": "alpha_initializer"},
    "ReLU": {"theta": "threshold"},
    "UpSampling1D": {"length": "size"},
}
_DATA_FORMATS = {"th": "channels_first", "tf": "channels_last"}

# Arguments that are gone. The values are those with which nothing is lost; None in
# place of a tuple: the argument only said how to compute.
_REMOVED: dict[str, tuple[Any, ...] | None] = {
    "adjustment": (None,),
    "batch_input_shape": None,
    "consume_less": None,
    "dropout": (0, 0.0),
    "experimental_autocast": None,
    "experimental_run_tf_function": None,
    "fused": None,
    "groups": (1,),
    "implementation": None,
    "input_dim": None,
    "input_dtype": None,
    "input_length": None,
    "is_legacy_optimizer": None,
    "jit_compile": None,
    "kernel_constraint": (None,),
    "kernel_initializer": None,
    "kernel_regularizer": (None,),
    "key_shape": None,
    "mode": (0,),
    "noise_shape": (None,),
    "query_shape": None,
    "ragged": (False,),
    "schedule_decay": (0.004,),
    "softmax_robust_masking": None,
    "sparse": (False,),
    "time_major": (False,),
    "value_shape": None,
    "virtual_batch_size": (None,),
}
_REMOVED_IN: dict[str, dict[str, Any]] = {
    # Initializers of TensorFlow 1.13 to 2.0.
    **{
        name: {"dtype": None}
        for name in "GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal "
        "LecunUniform Orthogonal RandomNormal RandomUniform TruncatedNormal "
        "VarianceScaling".split()
    },
    # It says which of the sizes that are possible the output has.
    "Conv2DTranspose": {"output_shape": ()},
    **{f"SpatialDropout{rank}D": {"trainable": None} for rank in (1, 2, 3)},
}


def warn_of_new_meanings(text: str, keras_version: Any) -> None:
    """Warn where Keras 3 computes something else by the same name.

    Args:
        text: the JSON of a model's config.
        keras_version: the version that wrote it.
    """
    if str(keras_version)[:2] in ("1.", "2.") and '"hard_sigmoid"' in text:
        warn(
            f"The model was saved by Keras {keras_version} and uses 'hard_sigmoid', "
            "which was clip(0.2 * x + 0.5, 0, 1) there and is relu6(x + 3) / 6 since "
            "Keras 3. For the old function pass "
            "`custom_objects={'hard_sigmoid': function}`."
        )


def modern_class(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of an object with the class name that Keras 3 gives it.

    Args:
        config: a config with "class_name" and "config".
    """
    name, inner = config["class_name"], config["config"]
    if name == "Sequential" and isinstance(inner, list):
        return {**config, **_modern_sequential(inner)}
    if not isinstance(inner, dict):
        return config
    if ".engine." in str(config.get("module")):
        # Private modules of Keras 2: `keras.src.engine.functional`.
        config = {**config, "module": None}
    if name == "Merge":
        name, inner = _modern_merge(inner)
    elif name == "MeanMetricWrapper" and isinstance(inner.get("fn"), str):
        inner = {**inner, "fn": {"class_name": "function", "config": inner["fn"]}}
    elif name == "GRU" and "reset_after" not in inner and not config.get("module"):
        inner = {**inner, "reset_after": False}
    elif name == "CuDNNGRU":
        inner = {**inner, "reset_after": True}
    return {**config, "class_name": _CLASS_NAMES.get(name, name), "config": inner}


def modern_arguments(
    name: str, config: dict[str, Any], accepted: frozenset[str]
) -> dict[str, Any]:
    """Return the arguments of a class of ours with their names of Keras 3.

    Args:
        name: the name of the class.
        config: its arguments, by name.
        accepted: the names that the class takes.

    Raises:
        ValueError: if an argument is gone, and without it the object is another one.
    """
    renamed = _RENAMED | _RENAMED_IN.get(name, {})
    removed = _REMOVED | _REMOVED_IN.get(name, {})
    arguments: dict[str, Any] = {}
    for key, value in config.items():
        if key in accepted:
            arguments[key] = value
            continue
        key = renamed.get(key, key)
        if key in accepted:
            arguments.setdefault(key, value)
        elif key in removed:
            _check_neutral(name, key, value, removed[key])
        else:
            arguments[key] = value
    return _modern_values(name, arguments)


def _check_neutral(name, key, value, neutral):
    if neutral is not None and value not in neutral:
        raise ValueError(
            f"The config of {name!r} has {key}={value!r}, which Keras 3 no longer has: "
            "without it the object would be another one. Build the model in code and "
            "load its weights."
        )


def _modern_values(name, arguments):
    """Return the arguments with values that changed since Keras 1 and 2."""
    sizes = [k for k in ("nb_row", "nb_col") if k in arguments]
    sizes = sizes or [k for k in arguments if k.startswith("kernel_dim")]
    if sizes:
        arguments["kernel_size"] = [arguments.pop(k) for k in sizes]
    if arguments.get("data_format") in _DATA_FORMATS:
        arguments["data_format"] = _DATA_FORMATS[arguments["data_format"]]
    forget_bias = arguments.pop("forget_bias_init", None)
    if forget_bias is not None:
        arguments["unit_forget_bias"] = forget_bias == "one"
    decay = arguments.pop("decay", None)
    if decay:
        arguments["learning_rate"] = _decayed(arguments["learning_rate"], decay)
    if name == "BatchNormalization" and isinstance(arguments.get("axis"), list):
        (arguments["axis"],) = arguments["axis"]
    return arguments


def _decayed(learning_rate, decay):
    """Return the schedule of the argument `decay`: rate / (1 + decay * iteration)."""
    return {
        "module": "keras.optimizers.schedules",
        "class_name": "InverseTimeDecay",
        "config": {
            "initial_learning_rate": learning_rate,
            "decay_steps": 1,
            "decay_rate": decay,
        },
    }


def with_input_layer(config: dict[str, Any]) -> dict[str, Any]:
    """Return a Sequential's config with the InputLayer that its first layer implies."""
    layers = config.get("layers")
    if not isinstance(layers, list | tuple) or not layers:
        return config
    first = layers[0]
    if not isinstance(first, dict) or not isinstance(first.get("config"), dict):
        return config
    shape = first["config"].get("batch_input_shape")
    if shape is None or first.get("class_name") == "InputLayer":
        return config
    # An Embedding takes numbers of any kind; a layer's dtype may be a policy.
    dtype = first["config"].get("input_dtype", first["config"].get("dtype"))
    inputs = {"batch_shape": shape, "dtype": dtype}
    if not isinstance(dtype, str) or first["class_name"] == "Embedding":
        inputs["dtype"] = "float32"
    layer = {"module": "keras.layers", "class_name": "InputLayer", "config": inputs}
    return {**config, "layers": [layer, *layers]}


def _modern_merge(config):
    mode = config.get("mode")
    name = _MERGES.get(mode) if isinstance(mode, str) else None
    if name is None or config.get("layers"):
        raise ValueError(
            f"The config has a `Merge` layer of mode {mode!r} that has no counterpart "
            "among the layers of Keras 3. Build the model in code and load its weights."
        )
    inner = {"name": config.get("name")}
    if name == "Concatenate":
        inner["axis"] = config.get("concat_axis", -1)
    if name == "Dot":
        inner |= {"axes": config.get("dot_axes"), "normalize": mode == "cos"}
    return name, inner


def _modern_sequential(items):
    """Return the class and config of a Sequential whose config is a list.

    In Keras 1 its first layer may be a `Merge` that holds the branches it joins; then
    it is a graph.
    """
    if not _is_joining(items):
        return {"config": {"name": None, "layers": items}}
    layers: list[Any] = []
    last = _chain(items, layers)
    inputs = [x["name"] for x in layers if x["class_name"] == "InputLayer"]
    config = {
        "name": None,
        "layers": layers,
        "input_layers": [[name, 0, 0] for name in inputs],
        "output_layers": [[last, 0, 0]],
    }
    return {"class_name": "Functional", "config": config}


def _is_joining(items):
    first = items[0] if items else None
    return (
        isinstance(first, dict)
        and first.get("class_name") == "Merge"
        and isinstance(first.get("config"), dict)
        and bool(first["config"].get("layers"))
    )


def _chain(items, layers):
    """Append the layers of a Sequential to those of a graph; return the last's name."""
    before: list[str] = []
    if _is_joining(items):
        first, *items = items
        branches = [_branch(x) for x in first["config"]["layers"]]
        before = [_chain(branch, layers) for branch in branches]
        merge = {k: v for k, v in first["config"].items() if k != "layers"}
        items = [{**first, "config": merge}, *items]
    else:
        items = with_input_layer({"layers": items})["layers"]
        if items[0]["class_name"] == "InputLayer" and "name" not in items[0]["config"]:
            named = {**items[0]["config"], "name": f"{_name_of(items[1])}_input"}
            items = [{**items[0], "config": named}, *items[1:]]
    for item in items:
        name = _name_of(item)
        nodes = [[[other, 0, 0, {}] for other in before]] if before else []
        layers.append({**item, "name": name, "inbound_nodes": nodes})
        before = [name]
    return before[0]


def _branch(config):
    if isinstance(config, dict) and config.get("class_name") == "Sequential":
        if isinstance(config.get("config"), list) and config["config"]:
            return config["config"]
    raise ValueError(
        "The config has a `Merge` layer that joins something else than Sequential "
        "models. Build the model in code and load its weights."
    )


def _name_of(item):
    name = item["config"].get("name")
    if not isinstance(name, str):
        raise ValueError(
            f"A {item['class_name']!r} layer of the config has no name, and the graph "
            "that it belongs to needs one. Build the model in code and load its "
            "weights."
        )
    return name
