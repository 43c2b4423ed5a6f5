"""How masks go from the arguments of an op to its result.

What becomes of the mask of one argument is in the table of `mask_rules.py`. Where
several arguments have masks, a place of the result is valid where all of them are. Ops
without a rule lose masks, but for those that are composed of ops with rules.
"""

import functools

from hornbeam.core import tree
from hornbeam.core.masking import (
    LostMask,
    carried,
    lost,
    set_keras_mask,
    set_lost_mask,
)
from hornbeam.graph.keras_tensor import KerasTensor
from hornbeam.ops.mask_rules import KEPT, LOST, USED_UP, Call, rule_of


def pass_on(op, args, kwargs, result):
    """Let the masks of the arguments of `op` go with its result, by the op's rule."""
    given = [x for x in tree.flatten((args, kwargs)) if carried(x) is not None]
    results = tree.flatten(result)
    targets = [x for x in results if hasattr(x, "shape") and _is_none_of(x, given)]
    if not given or not targets:
        return
    rule = rule_of(op)
    if rule is None:
        if not isinstance(result, KerasTensor):
            _lose(op, given, targets)
        return
    call = Call(op, args, kwargs, results)
    masks, mark = [], None
    for x in given:
        carries = carried(x)
        is_mark = isinstance(carries, LostMask)
        rank = carries.rank if is_mark else len(carries.shape)
        answer = rule(call, x, rank)
        if answer is USED_UP:
            continue
        if is_mark or answer is LOST or not _covers(carries, x, answer):
            mark = mark or lost(carries, op.name)
        else:
            masks.append(answer(carries))
    if masks and isinstance(masks[0], list | tuple):
        # An op that splits its argument has one of them.
        for x, mask in zip(targets, masks[0], strict=True):
            set_keras_mask(x, mask, by_op=True)
        return
    mask = _all_of(masks)
    for x in targets:
        if mask is not None and _fits(mask, x):
            set_keras_mask(x, mask, by_op=True)
        elif mark is not None and not isinstance(x, KerasTensor):
            set_keras_mask(x, None)
            set_lost_mask(x, mark)
        else:
            set_keras_mask(x, None)


def _is_none_of(x, tensors):
    return all(x is not y for y in tensors)


def _lose(op, given, targets):
    """Mark the results that nothing inside the op has given a mask or a mark."""
    mark = lost(carried(given[0]), op.name)
    for x in targets:
        if carried(x) is None:
            set_lost_mask(x, mark)


def _covers(mask, x, answer):
    """Whether the mask has the sizes of `x`, where the rule will transform it."""
    return answer is KEPT or _fits(mask, x, broadcast=False)


def _fits(mask, x, broadcast=True):
    sizes = zip(mask.shape, x.shape, strict=False)
    return len(mask.shape) <= len(x.shape) and all(
        None in (a, b) or a == b or (broadcast and a == 1) for a, b in sizes
    )


def _all_of(masks):
    from hornbeam import ops

    distinct = list({id(mask): mask for mask in masks}.values())
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    rank = max(len(mask.shape) for mask in distinct)
    merged = [_with_axes_behind(ops.cast(m, "bool"), rank) for m in distinct]
    return functools.reduce(ops.logical_and, merged)


def _with_axes_behind(mask, rank):
    from hornbeam import ops

    missing = range(len(mask.shape), rank)
    return ops.expand_dims(mask, tuple(missing)) if missing else mask
