"""Random numbers on TensorFlow: the counter hash, in unsigned 32-bit words.

Outside a program NumPy makes the bits: one pass instead of a kernel for each step.
"""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from hornbeam.core import random_hash


def random_bits(key: Any, shape: Any) -> Any:
    """Return uint32 random words of the stream `key`, a uint32 pair."""
    if _on_host(key, shape):
        return tf.constant(random_hash.numpy_bits(_pair(key), shape))
    return _bits(key, shape)


def random_uniform(key: Any, shape: Any) -> Any:
    """Return float32 in [0, 1) from the top 24 bits of `random_bits`."""
    if _on_host(key, shape):
        return tf.constant(random_hash.numpy_uniform(_pair(key), shape))
    # Through int32: conversion from unsigned numbers is slow on CPUs.
    words = tf.bitwise.right_shift(_bits(key, shape), _word(8))
    return tf.cast(tf.cast(words, tf.int32), tf.float32) * 2.0**-24


def _on_host(key, shape):
    known = [x for x in (key, *shape) if isinstance(x, tf.Tensor)]
    return tf.executing_eagerly() and not any(tf.is_symbolic_tensor(x) for x in known)


def _pair(key):
    return [int(word) for word in key]


def _word(x):
    return tf.constant(x, tf.uint32)


class _Word:
    """A tensor of unsigned words with the operators that the hash is written in."""

    def __init__(self, x):
        self.x = x

    def __add__(self, other):
        return _Word(self.x + other.x)

    def __mul__(self, other):
        return _Word(self.x * other.x)

    def __xor__(self, other):
        return _Word(tf.bitwise.bitwise_xor(self.x, other.x))

    def __rshift__(self, distance):
        return _Word(tf.bitwise.right_shift(self.x, _word(distance)))

    def __and__(self, mask):
        return self  # 32 bits wide already


def _bits(key, shape):
    key = tf.cast(key, tf.uint32)
    constant = lambda x: _Word(_word(x))  # noqa: E731
    a, b = random_hash.schedule(_Word(key[0]), _Word(key[1]), constant)
    static = all(isinstance(size, int) for size in shape)
    count = math.prod(shape) if static else tf.reduce_prod(tf.stack(shape))
    position = _Word(tf.cast(tf.reshape(tf.range(count), shape), tf.uint32))
    return random_hash.scramble(position, a, b, constant).x
