"""How masks go from the arguments of an op to its result.

What becomes of the mask of one argument is in the table of `mask_rules.py`. Where
several arguments have masks, a place of the result is valid where all of them are. Ops
without a rule lose masks, but for those that are composed of ops with rules.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from hornbeam import ops
from hornbeam.core import tree
from hornbeam.core.masking import (
    LostMask,
    carried,
    fits,
    is_of_rows,
    lost,
    set_keras_mask,
    set_lost_mask,
)
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops import declare
from hornbeam.ops.mask_rules import KEPT, LOST, USED_UP, Call, rule_of


def pass_on(op: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> None:
    """Let the masks of the arguments of `op` go with its result, by the op's rule."""
    masked = [x for x in tree.flatten((args, kwargs)) if carried(x) is not None]
    results = [x for x in tree.flatten(result) if hasattr(x, "shape")]
    targets = [x for x in results if all(x is not y for y in masked)]
    if not masked or not targets:
        return
    if rule_of(op) is None:
        mark = lost(carried(masked[0]), op.name)
        for x in targets:
            # Composite ops have already passed masks on.
            if carried(x) is None and not isinstance(x, KerasTensor):
                set_lost_mask(x, mark)
        return
    masks, mark = _answers(Call(op, args, kwargs, results[0]), masked)
    if masks and isinstance(masks[0], list | tuple):
        # The op splits its only tensor: one mask per result.
        for x, mask in zip(results, masks[0], strict=True):
            set_keras_mask(x, mask, by_op=True)
        return
    mask = _all_of(masks)
    for x in targets:
        set_keras_mask(x, None)
        if mask is not None and fits(mask, x):
            if not is_of_rows(mask, x):
                set_keras_mask(x, mask, by_op=True)
        elif (mark or mask) is not None and not isinstance(x, KerasTensor):
            set_lost_mask(x, mark or lost(mask, op.name))


def _answers(call, masked):
    """Return what the rule makes of the masks, and the mark of one that was lost."""
    masks, mark, rule = [], None, rule_of(call.op)
    for x in masked:
        carries = carried(x)
        is_mark = isinstance(carries, LostMask)
        rank = carries.rank if is_mark else len(carries.shape)
        rank = min(rank, len(x.shape))
        answer = rule(call, x, rank) if rank else USED_UP
        if answer is USED_UP:
            continue
        if is_mark or answer is LOST or not _covers(carries, x, answer):
            mark = mark or lost(carries, call.op.name)
        else:
            masks.append(answer(carries))
    return masks, mark


def _covers(mask, x, answer):
    """Whether the mask has the sizes of `x`, where the rule will transform it."""
    return answer is KEPT or fits(mask, x, broadcast=False)


def _all_of(masks):
    distinct = list({id(mask): mask for mask in masks}.values())
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    rank = max(len(mask.shape) for mask in distinct)
    merged = [_with_axes_behind(ops.cast(m, "bool"), rank) for m in distinct]
    return functools.reduce(ops.logical_and, merged)


def _with_axes_behind(mask, rank):
    missing = range(len(mask.shape), rank)
    return ops.expand_dims(mask, tuple(missing)) if missing else mask


declare.extensions["masks"] = pass_on
