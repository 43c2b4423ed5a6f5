"""Records of what TensorFlow does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def start_trace(folder: str) -> Callable[[], Any]:
    tf.profiler.experimental.start(folder)
    return tf.profiler.experimental.stop
