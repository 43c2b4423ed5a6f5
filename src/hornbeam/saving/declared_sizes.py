"""How much memory what a config describes will take, from the config alone.

The numbers of weights of the layers that can be large, by the arguments in the config
and the shape of the inputs, where the config says it (`build_config`). What is not
known counts as little as it can, so the whole is at most what loading counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from hornbeam.core.allowlist import find_builtin_class
from hornbeam.core.configurable import parameters_of
from hornbeam.core.legacy_configs import modern_arguments, modern_class
from hornbeam.layers.core.einsum_dense import einsum_shapes
from hornbeam.typing import Config

# State for each trainable number.
_SLOTS = {
    "Adadelta": 2, "Adagrad": 1, "Adam": 2, "AdamW": 2, "Adamax": 2, "Ftrl": 2,
    "Lamb": 2, "Lion": 1, "Nadam": 2, "RMSprop": 1, "SGD": 1,
}  # fmt: skip
_WRAPPERS = {"Bidirectional": 2, "TimeDistributed": 1, "SpectralNormalization": 1}


def declared_sizes(objects: list[Config]) -> Iterator[tuple[str, int]]:
    """Yield the name and the bytes of each layer, and of the optimizer.

    Args:
        objects: the configs of all objects of a file.
    """
    frozen = _frozen(objects)
    shapes: dict[int, tuple[Any, int]] = {}
    trained = 0
    for item in _each_once(objects):
        name, arguments = _modern(item)
        shape, copies = shapes.get(id(item), (_input_shape(item), 1))
        inner = arguments.get("layer")
        if name in _WRAPPERS and isinstance(inner, dict):
            if name == "TimeDistributed":
                shape = shape[:1] + shape[2:]
            backward = arguments.get("backward_layer")
            if isinstance(backward, dict):
                shapes[id(inner)] = shapes[id(backward)] = shape, copies
            else:
                shapes[id(inner)] = shape, copies * _WRAPPERS[name]
        count = _COUNTS.get(name)
        if count is not None:
            size = max(0, count(arguments, shape)) * copies * _bytes_of(arguments)
            if id(item) not in frozen:
                trained += size if name != "BatchNormalization" else 0
            yield str(arguments.get("name"))[:200], size
    for item in objects:
        slots = _SLOTS.get(item["class_name"], 0)
        arguments = item["config"]
        if isinstance(arguments, dict) and "learning_rate" in arguments:
            if item["class_name"] == "SGD" and not arguments.get("momentum"):
                slots = 0
            slots += bool(arguments.get("amsgrad")) + bool(arguments.get("use_ema"))
            yield f"the state of {item['class_name']}", trained * slots


def _each_once(objects):
    """Yield the configs, those of an object that is shared once."""
    seen = set()
    for item in objects:
        shared = item.get("shared_object_id")
        if shared is None:
            yield item
        elif isinstance(shared, int) and shared not in seen:
            seen.add(shared)
            yield item


def _frozen(objects):
    """Return the identities of the configs of what is not trained, and all in them."""
    found: set[int] = set()
    for item in objects:
        arguments = item["config"]
        if isinstance(arguments, dict) and arguments.get("trainable") is False:
            left = [item]
            while left:
                value = left.pop()
                if id(value) not in found and isinstance(value, dict | list):
                    found.add(id(value))
                    left += value.values() if isinstance(value, dict) else value
    return found


def thresholds(objects: list[Config]) -> int:
    """Return the largest number of thresholds that a metric asks for."""
    counts = [
        _integer(item["config"].get("num_thresholds"))
        for item in objects
        if isinstance(item["config"], dict)
    ]
    return max(counts, default=0)


def _modern(item):
    """Return the class of a config and its arguments as Keras 3 names them."""
    try:
        item = modern_class(item)
        name, arguments = item["class_name"], item["config"]
        if name in _COUNTS:
            cls = find_builtin_class(name)
            accepted = frozenset(p.name for p in parameters_of(cls.__init__))
            arguments = modern_arguments(name, arguments, accepted)
    except ValueError:  # said by what looks at the classes
        return None, {}
    return name, arguments if isinstance(arguments, dict) else {}


def _input_shape(item):
    """Return the shape that the weights were made for, () where it is not known."""
    build = item.get("build_config")
    shapes = build.get("shapes_dict", build) if isinstance(build, dict) else {}
    for shape in shapes.values() if isinstance(shapes, dict) else ():
        if isinstance(shape, list | tuple):
            return _sizes(shape)
    return ()


def _sizes(shape):
    return tuple(None if n is None else _integer(n) for n in shape)


def _bytes_of(arguments):
    dtype = arguments.get("dtype")
    if isinstance(dtype, dict) and isinstance(dtype.get("config"), dict):
        dtype = dtype["config"].get("name")
    return {"float64": 8, "float16": 2, "bfloat16": 2}.get(str(dtype), 4)


def _integer(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _channels(arguments: Config, shape: Any) -> int:
    """The size of the axis of channels, 1 where it is not known."""
    first = arguments.get("data_format") == "channels_first"
    size = shape[1 if first else -1] if len(shape) > 1 else None
    return 1 if size is None else max(0, size)


def _bias(arguments: Config) -> bool:
    return arguments.get("use_bias", True) is not False


def _dense(arguments, shape):
    units = _integer(arguments.get("units"))
    return (_channels({}, shape) + _bias(arguments)) * units


def _einsum_dense(arguments, shape):
    produced = arguments.get("output_shape")
    produced = produced if isinstance(produced, list | tuple) else [produced]
    try:
        found = einsum_shapes(
            arguments.get("equation"), arguments.get("bias_axes"), shape,
            _sizes(produced),
        )  # fmt: skip
        return sum(math.prod(map(_integer, x)) for x in found[:2] if x is not None)
    except (ValueError, TypeError, IndexError, KeyError, AttributeError):
        return 0


def _embedding(arguments, shape):
    sizes = (_integer(arguments.get(k)) for k in ("input_dim", "output_dim"))
    return math.prod(sizes)


def _convolution(rank: int, kind: str = "") -> Callable[[Config, Any], int]:
    def count(arguments, shape):
        size = arguments.get("kernel_size")
        size = size if isinstance(size, list | tuple) else [size] * rank
        window = math.prod(_integer(n) for n in size)
        channels = _channels(arguments, shape)
        filters, bias = _integer(arguments.get("filters")), _bias(arguments)
        if not kind:
            groups = max(1, _integer(arguments.get("groups")))
            return window * max(1, channels // groups) * filters + filters * bias
        spread = channels * max(1, _integer(arguments.get("depth_multiplier")))
        if kind == "depthwise":
            return (window + bias) * spread
        return (window + filters) * spread + filters * bias

    return count


def _recurrent(gates: int) -> Callable[[Config, Any], int]:
    def count(arguments, shape):
        units, bias = _integer(arguments.get("units")), int(_bias(arguments))
        if gates == 3 and arguments.get("reset_after", True):
            bias *= 2
        return gates * units * (_channels({}, shape) + units + bias)

    return count


def _attention(arguments, shape):
    heads, key = (_integer(arguments.get(k)) for k in ("num_heads", "key_dim"))
    value = _integer(arguments.get("value_dim")) or key
    width, bias = _channels({}, shape), int(_bias(arguments))
    # Keys and values may be of another width.
    return heads * (key * (width + 1 + 2 * bias) + value * (width + 1 + bias))


def _normalization(weights: int) -> Callable[[Config, Any], int]:
    def count(arguments, shape):
        axes = arguments.get("axis", -1)
        axes = axes if isinstance(axes, list) else [axes]
        known = range(-len(shape), len(shape))
        if not all(isinstance(a, int) and a in known for a in axes):
            return 0
        size = math.prod(_integer(shape[a]) for a in {a % len(shape) for a in axes})
        kinds = ("scale",) if arguments.get("rms_scaling") else ("scale", "center")
        given = [arguments.get(k, True) is not False for k in kinds]
        more = 3 if weights and arguments.get("renorm") else 0
        return (sum(given) + weights + more) * size

    return count


_COUNTS: dict[str, Callable[[Config, Any], int]] = {
    "BatchNormalization": _normalization(2),
    "Dense": _dense,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "GRU": _recurrent(3),
    "GroupNormalization": _normalization(0),
    "LSTM": _recurrent(4),
    "LayerNormalization": _normalization(0),
    "MultiHeadAttention": _attention,
    "SimpleRNN": _recurrent(1),
    **{
        f"{kind}Conv{rank}D{transposed}": _convolution(rank, kind.lower())
        for rank in (1, 2, 3)
        for kind, transposed in (
            ("", ""), ("", "Transpose"), ("Depthwise", ""), ("Separable", ""),
        )
    },
}  # fmt: skip
