"""Records of what TensorFlow does."""

from __future__ import annotations

import tensorflow as tf


def start_trace(folder: str) -> None:
    tf.profiler.experimental.start(folder)


def stop_trace() -> None:
    tf.profiler.experimental.stop()
