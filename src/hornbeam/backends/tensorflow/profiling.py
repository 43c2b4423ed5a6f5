"""Records of what TensorFlow does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def start_trace(folder: str) -> Callable[[], Any]:
    tf.profiler.experimental.start(folder)
    return tf.profiler.experimental.stop


def first_not_finite(run: Callable[[], Any]) -> str | None:
    tf.debugging.enable_check_numerics()
    try:
        run()
    except tf.errors.InvalidArgumentError as error:
        found = re.search(r'executing op "(\w+)"', str(error))
        return found[1] if found else None
    finally:
        tf.debugging.disable_check_numerics()
    return None
