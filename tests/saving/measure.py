"""Measure what configs of ill will take: the growth of the process's largest size.

Prints `{case: [result, MiB, seconds]}` as JSON.
"""

import json
import sys
import time

import hornbeam as keras
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from tests.saving.attack_table import (
    forget,
    functional,
    largest,
    layer,
    node,
    sequential,
)


def as_text(config):
    return lambda: keras.models.model_from_json(json.dumps(config))


def called(times):
    """Return a graph in which one layer is called on the input so many times."""
    calls = node("r", ["in", 0, 0])["inbound_nodes"] * times
    config = functional(
        {**layer("ReLU", name="r"), "name": "r", "inbound_nodes": calls}
    )
    config["config"]["output_layers"] = [["r", i, 0] for i in range(times)]
    return config


small = sequential(layer("Dense", units=2))
as_text(small)()
keras.Sequential.from_config(small["config"])
deserialize = keras.saving.deserialize_keras_object
huge = sequential(layer("Dense", units=5 * 10**7))
metrics = {"num_thresholds": 3 * 10**7}
pattern = {
    "default_optimizer": layer("SGD", "keras.optimizers"),
    "optimizer_map": {"a" * (1 << 20): layer("SGD", "keras.optimizers")},
}
backtracking = {
    "default_optimizer": pattern["default_optimizer"],
    "optimizer_map": {"(a+)+$": pattern["default_optimizer"]},
}
wide = '["' + "a" * (15 << 20) + chr(0x1F600) + '"]'
escaped = '["' + "a" * (15 << 20) + "\\ud83d\\ude00" + '"]'
cases = {
    "text": as_text(huge),
    "from_config": lambda: keras.Sequential.from_config(huge["config"]),
    "deserialize": lambda: deserialize(huge),
    "build_config": lambda: keras.layers.deserialize(
        {**layer("Dense", units=10**6), "build_config": {"input_shape": [None, 100]}}
    ),
    "metric": lambda: keras.metrics.deserialize(
        layer("MeanIoU", "keras.metrics", num_classes=10**6)
    ),
    "metric_class": lambda: keras.metrics.MeanIoU.from_config({"num_classes": 10**6}),
    "thresholds": lambda: keras.metrics.deserialize(
        layer("AUC", "keras.metrics", **metrics)
    ),
    "thresholds_of_rates": lambda: keras.metrics.RecallAtPrecision.from_config(
        {"precision": 0.5, **metrics}
    ),
    "long_pattern": lambda: keras.optimizers.OptimizerMap.from_config(pattern),
    "backtracking": lambda: keras.optimizers.OptimizerMap.from_config(backtracking),
    "policy_pattern": lambda: keras.dtype_policies.deserialize(
        layer(
            "DTypePolicyMap",
            "keras.dtype_policies",
            default_policy="float32",
            policy_map={"(a|a)*b": "float32"},
        )
    ),
    "equation": as_text(
        sequential(layer("EinsumDense", equation="a" * (1 << 20), output_shape=[2]))
    ),
    "function": as_text(
        sequential(
            layer(
                "Dense",
                units=10**7,
                kernel_initializer={"class_name": "function", "config": "ones"},
            )
        )
    ),
    "texts": lambda: deserialize(
        {
            "class_name": "__numpy__",
            "config": {"value": ["a" * 60000, *["b"] * 10**5], "dtype": "str"},
        }
    ),
    "lists": lambda: keras.models.model_from_json("[" + "[]," * 10**6 + "[]]"),
    "objects": lambda: keras.models.model_from_json("[" + "{}," * 10**6 + "{}]"),
    "wide": lambda: keras.models.model_from_json(wide),
    "escaped": lambda: keras.models.model_from_json(escaped),
    "name": lambda: keras.layers.deserialize(layer("X" * (15 << 20))),
    "long_name": as_text(
        {
            "module": "keras",
            "class_name": "Sequential",
            "config": {
                "name": "n" * 60000,
                "layers": [
                    layer("InputLayer", batch_shape=[None, 3]),
                    *[layer("Dense", units=3)] * 1000,
                ],
            },
        }
    ),
    "one_layer_called_often": as_text(called(6000)),
    "digits": lambda: keras.models.model_from_json("[" + "9" * (15 << 20) + "]"),
    "layers": as_text(sequential(*[layer("ReLU")] * 60000)),
}
results = {}
for name, case in cases.items():
    forget()
    before, started = largest(), time.process_time()
    try:
        case()
        result = "made"
    except (UnsafeFileError, DamagedFileError) as error:
        result = type(error).__name__
        assert len(str(error)) < 5000
    results[name] = result, largest() - before, time.process_time() - started
json.dump(results, sys.stdout)
