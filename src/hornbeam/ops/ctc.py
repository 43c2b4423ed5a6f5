"""Connectionist temporal classification (Graves et al., 2006): loss and decoding."""

from __future__ import annotations

from typing import Literal

import numpy as np

from hornbeam.core import dtypes
from hornbeam.core.errors import check_choice
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.activation import log_softmax
from hornbeam.ops.arithmetic import to_float
from hornbeam.ops.control import scan
from hornbeam.ops.core import cast, convert_to_numpy, convert_to_tensor, shape
from hornbeam.ops.declare import composite
from hornbeam.ops.numpy import (
    arange,
    concatenate,
    expand_dims,
    full_like,
    logaddexp,
    maximum,
    moveaxis,
    not_equal,
    pad,
    reshape,
    stack,
    take_along_axis,
    where,
)
from hornbeam.typing import Tensor, TensorLike

# In place of log(0): sums of it, and so gradients, stay finite.
_IMPOSSIBLE = -1e30


def _float_dtype(x):
    return dtypes.result_type(x.dtype, "float32")


def _check_batches(target, output, target_length, output_length):
    sizes = {
        "target": target.shape[0],
        "output": output.shape[0],
        "target_length": shape(target_length)[0],
        "output_length": shape(output_length)[0],
    }
    if len({n for n in sizes.values() if n is not None}) > 1:
        raise ValueError(
            "ctc_loss: all arguments must have the same first dimension, the batch. "
            f"Received: {sizes}"
        )


def _loss_spec(a):
    names = ("target", "output", "target_length", "output_length")
    _check_batches(*(a[name] for name in names))
    return KerasTensor((a["output"].shape[0],), _float_dtype(a["output"]))


@composite(rule=_loss_spec)
def ctc_loss(
    target: TensorLike,
    output: TensorLike,
    target_length: TensorLike,
    output_length: TensorLike,
    mask_index: int = 0,
) -> Tensor:
    """The negative log-probability of a sequence of labels, over all alignments.

    Args:
        target: integers `(batch, labels)`.
        output: logits `(batch, steps, classes)`.
        target_length: number of labels of each sample, `(batch,)`.
        output_length: number of steps of each sample, `(batch,)`.
        mask_index: the class that means "no label". Default: 0.

    Returns:
        A vector `(batch,)`.

    >>> import hornbeam as keras
    >>> loss = keras.ops.ctc_loss([[1]], keras.ops.zeros((1, 1, 2)), [1], [1])
    >>> round(float(loss[0]), 4)
    0.6931
    """
    target, output = cast(target, "int32"), convert_to_tensor(output)
    target_length = cast(target_length, "int32")
    output_length = cast(output_length, "int32")
    _check_batches(target, output, target_length, output_length)
    logs = log_softmax(cast(output, _float_dtype(output)))
    batch, steps, _ = shape(logs)
    states = 2 * shape(target)[1] + 1
    # There is a blank before, between and after the labels.
    blanks = full_like(target, mask_index)
    labels = reshape(stack([blanks, target], axis=2), (batch, states - 1))
    labels = concatenate([labels, blanks[:, :1]], axis=1)
    differs = not_equal(labels[:, 2:], labels[:, :-2])
    may_skip = pad(differs, ((0, 0), (2, 0)))
    may_skip = cast(may_skip, "bool") & (arange(states) % 2 == 1)
    places = labels[:, None, :] + 0 * cast(arange(steps), "int32")[None, :, None]
    emitted = moveaxis(take_along_axis(logs, places, axis=2), 1, 0)

    def step(alpha, now):
        log_emitted, time = now
        before, skipped = _shifted(alpha, 1), _shifted(alpha, 2)
        skipped = where(may_skip, skipped, _IMPOSSIBLE)
        new = logaddexp(logaddexp(alpha, before), skipped) + log_emitted
        runs = expand_dims(time < output_length, 1)
        return where(runs, new, alpha), None

    first = where(arange(states) < 2, emitted[0], _IMPOSSIBLE)
    times = cast(arange(1, steps), "int32")
    alpha, _ = scan(step, first, (emitted[1:], times)) if steps > 1 else (first, None)
    ends = expand_dims(2 * target_length, 1)
    at_blank = take_along_axis(alpha, ends, axis=1)[:, 0]
    at_label = take_along_axis(alpha, maximum(ends - 1, 0), axis=1)[:, 0]
    at_label = where(target_length > 0, at_label, _IMPOSSIBLE)
    return -logaddexp(at_blank, at_label)


def _shifted(alpha, by):
    return pad(alpha, ((0, 0), (by, 0)), constant_values=_IMPOSSIBLE)[:, :-by]


def _decode_spec(a):
    check_choice("ctc_decode", "strategy", a["strategy"], ("greedy", "beam_search"))
    paths = 1 if a["strategy"] == "greedy" else a["top_paths"]
    batch, steps, _ = a["inputs"].shape
    scores = KerasTensor((batch, paths), _float_dtype(a["inputs"]))
    return KerasTensor((paths, batch, steps), "int32"), scores


@composite(rule=_decode_spec)
def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: Literal["greedy", "beam_search"] = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The most likely sequences of labels for the outputs of a CTC model.

    It runs on the host, so it cannot be part of a compiled program.

    Args:
        inputs: logits `(batch, steps, classes)`.
        sequence_lengths: number of steps of each sample, `(batch,)`.
        strategy: `"greedy"` (default) takes the best class of each step;
            `"beam_search"` keeps the best prefixes and adds up their alignments.
        beam_width: number of prefixes that are kept. Default: 100.
        top_paths: number of sequences from a beam search. Default: 1.
        merge_repeated: whether repeats of a class without a blank between them are
            one label (greedy). Default: True.
        mask_index: the class of the blank, "no label". Default: 0.

    Returns:
        `(sequences, scores)`: integers `(paths, batch, steps)`, filled up with -1, and
        `(batch, paths)`: minus the sum of the chosen logits (greedy), or the
        log-probability (beam search).

    >>> import hornbeam as keras
    >>> logits = [[[0.0, 2.0], [3.0, 0.0], [0.0, 1.0]]]
    >>> sequences, scores = keras.ops.ctc_decode(logits, [3])
    >>> [int(v) for v in sequences[0, 0]], float(scores[0, 0])
    ([1, 1, -1], -6.0)
    """
    check_choice("ctc_decode", "strategy", strategy, ("greedy", "beam_search"))
    inputs = to_float(inputs)
    dtype = _float_dtype(inputs)
    logits = convert_to_numpy(cast(inputs, dtype))
    lengths = convert_to_numpy(sequence_lengths).astype(int)
    if strategy == "greedy":
        samples = [
            _greedy(x[:n], merge_repeated, mask_index)
            for x, n in zip(logits, lengths, strict=True)
        ]
        paths = 1
    else:
        samples = [
            _beams(x[:n], beam_width, top_paths, mask_index)
            for x, n in zip(logits, lengths, strict=True)
        ]
        paths = top_paths
    sequences = np.full((paths, *logits.shape[:2]), -1, "int32")
    scores = np.full((len(logits), paths), -np.inf)
    for row, results in enumerate(samples):
        for path, (labels, score) in enumerate(results):
            sequences[path, row, : len(labels)] = labels
            scores[row, path] = score
    return convert_to_tensor(sequences), convert_to_tensor(scores, dtype)


def _greedy(logits, merge_repeated, blank):
    best = logits.argmax(-1)
    keep = best != blank
    if merge_repeated:
        keep[1:] &= best[1:] != best[:-1]
    return [(best[keep], -logits.max(-1).sum())]


def _beams(logits, width, count, blank):
    """Search prefixes; each has the log-probability to end in a blank, or not."""
    logs = logits - np.logaddexp.reduce(logits, -1, keepdims=True)
    nothing = -np.inf
    beams = {(): (0.0, nothing)}
    for log in logs:
        grown: dict = {}

        def add(prefix, ends_in_blank, value, grown=grown):
            pair = list(grown.get(prefix, (nothing, nothing)))
            side = 0 if ends_in_blank else 1
            pair[side] = np.logaddexp(pair[side], value)
            grown[prefix] = tuple(pair)

        for prefix, (with_blank, without) in beams.items():
            total = np.logaddexp(with_blank, without)
            add(prefix, True, total + log[blank])
            for label in range(len(log)):
                if label == blank:
                    continue
                if prefix and prefix[-1] == label:
                    add(prefix, False, without + log[label])
                    add((*prefix, label), False, with_blank + log[label])
                else:
                    add((*prefix, label), False, total + log[label])
        ranked = sorted(grown.items(), key=lambda item: -np.logaddexp(*item[1]))
        beams = dict(ranked[:width])
    return [(p, np.logaddexp(*pair)) for p, pair in list(beams.items())[:count]]
