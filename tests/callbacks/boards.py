"""What TensorBoard's own reader finds in the files of a folder."""

import importlib
import sys
import types

import numpy as np
import pytest

pytest.importorskip("tensorboard")
# With this module TensorBoard reads files without TensorFlow, which takes long to load.
sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))

event_accumulator = importlib.import_module(
    "tensorboard.backend.event_processing.event_accumulator"
)
tensor_util = importlib.import_module("tensorboard.util.tensor_util")


def opened(folder):
    """Return the accumulator of a run."""
    run = event_accumulator.EventAccumulator(str(folder), {"tensors": 0})
    run.Reload()
    return run


def read(folder):
    """Return `{tag: {step: value}}`."""
    run = opened(folder)
    return {
        tag: {
            event.step: tensor_util.make_ndarray(event.tensor_proto)
            for event in run.Tensors(tag)
        }
        for tag in run.Tags()["tensors"]
    }


def scalars(folder):
    """Return `{tag: [(step, number), ...]}` of the scalars."""
    return {
        tag: [(step, float(value)) for step, value in values.items()]
        for tag, values in read(folder).items()
        if all(
            np.shape(value) == () and value.dtype.kind == "f"
            for value in values.values()
        )
    }
