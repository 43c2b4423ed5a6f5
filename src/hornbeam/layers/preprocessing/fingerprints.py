"""FarmHash64 and SipHash-2-4 of many strings at once, with NumPy.

The values are those of TensorFlow's `to_hash_bucket_fast` and `to_hash_bucket_strong`,
so a category has the same bucket in Keras, and on every engine and machine.

Sources: Geoff Pike, FarmHash (2014), the function `farmhashna::Hash64`; Jean-Philippe
Aumasson and Daniel J. Bernstein, "SipHash: a fast short-input PRF" (2012).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from hornbeam.layers.preprocessing.packed_strings import AT_ONCE, pack, words_of

_WORD = np.uint64
_K0, _K1, _K2 = map(_WORD, (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))


def buckets(strings: Any, count: int, salt: Any = None, encoding: str = "utf-8") -> Any:
    """Return the bucket, in `range(count)`, of each string of an array.

    Args:
        strings: an array of `str` and `bytes` objects.
        count: the number of buckets.
        salt: an integer, or two: the key of SipHash. Default: None (FarmHash64)
        encoding: in which `str` objects are hashed. Default: "utf-8"
    """
    hashes = None if salt is not None else _ascii_hashes(strings.ravel(), encoding)
    if hashes is not None:
        return (hashes % _WORD(count)).astype(np.int64).reshape(strings.shape)
    flat = strings.ravel().tolist()
    different = dict.fromkeys(flat)
    texts = [x.encode(encoding) if isinstance(x, str) else x for x in different]
    hashes = farmhash64(_joined(texts)) if salt is None else siphash(texts, salt)
    numbers = (hashes % _WORD(count)).astype(np.int64).tolist()
    table = dict(zip(different, numbers, strict=True))
    found = np.fromiter(map(table.__getitem__, flat), np.int64, len(flat))
    return found.reshape(strings.shape)


def _ascii_hashes(strings, encoding):
    """Return the fingerprints of strings of fixed width, or None if not all are ASCII.

    They are hashed where they lie, without making objects of them.
    """
    if words_of(strings.dtype) is None or _ASCII.encode(encoding) != _ASCII.encode():
        return None
    hashes = np.empty(len(strings), _WORD)
    for begin in range(0, len(strings), AT_ONCE):
        part = strings[begin : begin + AT_ONCE]
        rows = pack(part)
        if rows is None or (rows & _NO_ASCII).any():
            return None
        texts = _Texts(rows.tobytes(), np.char.str_len(part), 8 * rows.shape[1])
        hashes[begin : begin + AT_ONCE] = farmhash64(texts)
    return hashes


_ASCII = "".join(map(chr, range(128)))
_NO_ASCII = _WORD(0x8080808080808080)
_CROSSING_KEY, _CROSSING_FACTOR = _WORD(0xDECAFCAFFE), _WORD(0xC6A4A7935BD1E995)


def crossed_buckets(features: Any, count: int) -> Any:
    """Return the bucket of each combination of values of several features.

    Args:
        features: arrays of one shape, of integers or of `str` and `bytes` objects.
        count: the number of buckets.
    """
    state = np.full(features[0].shape, _CROSSING_KEY, _WORD)
    with np.errstate(over="ignore"):
        for feature in features:
            factor = _CROSSING_FACTOR
            state = (state ^ factor) ^ (_mix(_prints(feature) * factor) * factor)
            state = _mix(_mix(state * factor) * factor)
    return (state % _WORD(count)).astype(np.int64)


def _prints(feature):
    """Integers as words, and the fingerprints of strings."""
    if feature.dtype.kind in "biu":
        return feature.astype(np.int64).astype(_WORD)
    hashes = _ascii_hashes(feature.ravel(), "utf-8")
    if hashes is not None:
        return hashes.reshape(feature.shape)
    flat = feature.ravel().tolist()
    texts = [x.encode() if isinstance(x, str) else x for x in flat]
    return farmhash64(_joined(texts)).reshape(feature.shape)


class _Texts:
    """Texts in one buffer, of which words are read at the same place of each."""

    def __init__(self, buffer, length, distance=None):
        self.length = length
        # So many bytes from one to the next, or each behind the other.
        step = length if distance is None else np.full(len(length), distance)
        self.start = np.cumsum(step) - step
        # Words that begin at each byte; those of short texts reach beyond their end.
        self.bytes = np.frombuffer(buffer + bytes(16), np.uint8)
        self.words = np.ndarray(len(self.bytes) - 7, "<u8", self.bytes, strides=(1,))

    def word(self, rows, place):
        """The 8 bytes at `place` of the texts `rows`; negative: from the end."""
        return self.words[self._at(rows, place)].astype(_WORD)

    def half(self, rows, place):
        """The 4 bytes at `place`."""
        return self.word(rows, place) & _WORD(0xFFFFFFFF)

    def byte(self, rows, place):
        """The byte at `place`, which may be different for each text."""
        return self.bytes[self.start[rows] + place].astype(_WORD)

    def _at(self, rows, place):
        is_from_end = isinstance(place, int) and place < 0
        start = (
            self.start[rows] + self.length[rows] if is_from_end else self.start[rows]
        )
        return start + place


def _joined(texts):
    return _Texts(b"".join(texts), np.fromiter(map(len, texts), np.int64, len(texts)))


def farmhash64(data: _Texts) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return the 64-bit fingerprint of each text."""
    out = np.full(len(data.length), _K2, _WORD)
    limits: Any = ((1, 3, _to_3), (4, 7, _to_7), (8, 16, _to_16), (17, 32, _to_32))
    limits += ((33, 64, _to_64), (65, None, _long))
    with np.errstate(over="ignore"):
        for low, high, function in limits:
            inside = data.length >= low
            if high is not None:
                inside &= data.length <= high
            rows = np.flatnonzero(inside)
            if len(rows):
                out[rows] = function(data, rows, data.length[rows].astype(_WORD))
    return out


def _rotate(x, bits):
    return (x >> _WORD(bits)) | (x << _WORD(64 - bits))


def _mix(x):
    return x ^ (x >> _WORD(47))


def _pair(u, v, factor):
    a = _mix((u ^ v) * factor)
    return _mix((v ^ a) * factor) * factor


def _to_3(data, rows, n):
    length = data.length[rows]
    y = data.byte(rows, 0) + (data.byte(rows, length >> 1) << _WORD(8))
    z = n + (data.byte(rows, length - 1) << _WORD(2))
    return _mix(y * _K2 ^ z * _K0) * _K2


def _to_7(data, rows, n):
    first, last = data.half(rows, 0), data.half(rows, -4)
    return _pair(n + (first << _WORD(3)), last, _K2 + n * _WORD(2))


def _to_16(data, rows, n):
    factor = _K2 + n * _WORD(2)
    a, b = data.word(rows, 0) + _K2, data.word(rows, -8)
    c = _rotate(b, 37) * factor + a
    return _pair(c, (_rotate(a, 25) + b) * factor, factor)


def _ends(data, rows, factor, first):
    """What texts of 17 to 64 bytes share: sums of their first and last 16 bytes."""
    a, b = data.word(rows, 0) * first, data.word(rows, 8)
    c, d = data.word(rows, -8) * factor, data.word(rows, -16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    return a, y, a + _rotate(b + _K2, 18) + c


def _to_32(data, rows, n):
    factor = _K2 + n * _WORD(2)
    _, y, z = _ends(data, rows, factor, _K1)
    return _pair(y, z, factor)


def _to_64(data, rows, n):
    factor = _K2 + n * _WORD(2)
    a, y, z = _ends(data, rows, factor, _K2)
    z = _pair(y, z, factor)
    e, f = data.word(rows, 16) * factor, data.word(rows, 24)
    g = (y + data.word(rows, -32)) * factor
    h = (z + data.word(rows, -24)) * factor
    first = _rotate(e + f, 43) + _rotate(g, 30) + h
    return _pair(first, e + _rotate(f + a, 18) + g, factor)


def _weak(data, rows, place, a, b):
    """A weak hash of 32 bytes with two seeds: a pair."""
    w, x, y, z = (data.word(rows, place + i) for i in (0, 8, 16, 24))
    a = a + w
    b = _rotate(b + a + z, 21)
    c = a + x + y
    return c + z, b + _rotate(c, 44) + a


def _round(data, rows, place, state, factor, end=False):
    """Take in 64 bytes; the last ones are weighted differently."""
    x, y, z, v0, v1, w0, w1 = state
    nine = _WORD(9 if end else 1)
    x = _rotate(x + y + v0 + data.word(rows, place + 8), 37) * factor
    y = _rotate(y + v1 + data.word(rows, place + 48), 42) * factor
    x = x ^ (w1 * nine)
    y = y + v0 * nine + data.word(rows, place + 40)
    z = _rotate(z + w0, 33) * factor
    v0, v1 = _weak(data, rows, place, v1 * factor, x + w0)
    w0, w1 = _weak(data, rows, place + 32, z + w1, y + data.word(rows, place + 16))
    return z, y, x, v0, v1, w0, w1


def _long(data, rows, n):
    seed = _WORD(81)
    y = seed * _K1 + _WORD(113)
    z = _mix(y * _K2 + _WORD(113)) * _K2
    zeros = np.zeros(len(rows), _WORD)
    x = seed * _K2 + data.word(rows, 0)
    state = [x, zeros + y, zeros + z, *[zeros] * 4]
    rounds = (data.length[rows] - 1) // 64
    for number in range(rounds.max()):
        some = np.flatnonzero(rounds > number)
        new = _round(data, rows[some], 64 * number, [s[some] for s in state], _K1)
        state = [s.copy() for s in state]
        for old, values in zip(state, new, strict=True):
            old[some] = values
    x, y, z, v0, v1, w0, w1 = state
    factor = _K1 + ((z & _WORD(0xFF)) << _WORD(1))
    w0 = w0 + ((n - _WORD(1)) & _WORD(63))
    v0 = v0 + w0
    w0 = w0 + v0
    last = data.length[rows] - 64
    state = _round(data, rows, last, (x, y, z, v0, v1, w0, w1), factor, end=True)
    x, y, z, v0, v1, w0, w1 = state
    first = _pair(v0, w0, factor) + _mix(y) * _K0 + z
    return _pair(first, _pair(v1, w1, factor) + x, factor)


def siphash(texts: list[bytes], salt: Any) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """Return SipHash-2-4 of each text; `salt` is its key, one or two integers."""
    key = salt if isinstance(salt, list | tuple) else (salt, salt)
    k0, k1 = (_WORD(int(k) % (1 << 64)) for k in key)
    # A text and its length fill whole words.
    padded = [t + bytes(7 - len(t) % 8) + bytes([len(t) % 256]) for t in texts]
    data = _joined(padded)
    starts = (0x736F6D6570736575, 0x646F72616E646F6D)
    starts += (0x6C7967656E657261, 0x7465646279746573)
    ones = np.ones(len(texts), _WORD)
    pairs = zip(starts, itertools.cycle((k0, k1)))
    state = [ones * (_WORD(start) ^ k) for start, k in pairs]
    words = data.length // 8
    with np.errstate(over="ignore"):
        for number in range(int(words.max(initial=0))):
            some = np.flatnonzero(words > number)
            word = data.word(some, 8 * number)
            v = [s[some] for s in state]
            v[3] = v[3] ^ word
            v = _sip_rounds(v, 2)
            v[0] = v[0] ^ word
            for old, values in zip(state, v, strict=True):
                old[some] = values
        state[2] = state[2] ^ _WORD(0xFF)
        a, b, c, d = _sip_rounds(state, 4)
    return a ^ b ^ c ^ d


def _left(x, bits):
    return _rotate(x, 64 - bits)


def _sip_rounds(v, count):
    a, b, c, d = v
    for _ in range(count):
        a, c = a + b, c + d
        b, d = _left(b, 13) ^ a, _left(d, 16) ^ c
        a = _left(a, 32)
        c, a = c + b, a + d
        b, d = _left(b, 17) ^ c, _left(d, 21) ^ a
        c = _left(c, 32)
    return [a, b, c, d]
