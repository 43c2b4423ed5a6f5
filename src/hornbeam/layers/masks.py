"""How masks go through the call of a layer.

`call` gets those of its inputs, `compute_mask` says those of its outputs. Without a
word from it the outputs have the masks that layers and ops inside have given them, and
a mark where one was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hornbeam.core import masking, tree
from hornbeam.core.masking import LostMask, get_keras_mask, set_keras_mask
from hornbeam.core.warning import warn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from hornbeam.layers.call import CallInfo
    from hornbeam.layers.layer import Layer


def masks_of(x: Any) -> Any:
    """Return the masks of a nest of tensors in the same nest, or None without any."""
    if not isinstance(x, list | tuple | dict):
        return get_keras_mask(x)
    masks = tree.map_structure(get_keras_mask, x)
    return None if all(mask is None for mask in tree.flatten(masks)) else masks


def fill_in(
    layer: Layer, args: Sequence[Any], kwargs: dict[str, Any], info: CallInfo
) -> tuple[Any, dict[str, Any]]:
    """Return the mask of the first input, and `kwargs` with those of all inputs."""
    arguments = info.arguments(args, kwargs)
    first = next(iter(arguments), None)
    mask = None
    if first is not None:
        mask = kwargs.get(info.mask_names.get(first, "mask"))
    if mask is None and first is not None:
        mask = masks_of(arguments[first])
    for name, mask_name in info.mask_names.items():
        if arguments.get(mask_name) is not None or name not in arguments:
            continue
        found = mask if name == first else masks_of(arguments[name])
        if found is not None and not info.is_positional(mask_name, args):
            kwargs = {**kwargs, mask_name: found}
        elif found is None and masking.alive and layer._uses_masks:
            _warn_of_a_lost_mask(layer, arguments[name])
    return mask, kwargs


def _warn_of_a_lost_mask(layer, inputs):
    marks = filter(None, map(masking.get_lost_mask, tree.flatten(inputs)))
    mark = next(marks, None)
    if mark is None or layer._warned_of_lost_mask:
        return
    layer._warned_of_lost_mask = True
    at = f" at ops.{mark.op}" if mark.op else ""
    inside = f" in layer {mark.layer!r}" if mark.layer else ""
    warn(
        f"Layer {layer.path!r} ({type(layer).__name__}) takes a mask, but that of its "
        f"input was lost before,{at}{inside}: every place counts. Call it with "
        "`mask=...`; or let the mask through there, in a layer of your own with "
        "`self.supports_masking = True`, or with a `compute_mask()` that returns the "
        "mask of its output.",
    )


def set_outputs(
    layer: Layer,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    info: CallInfo,
    mask: Any,
    outputs: Any,
) -> None:
    """Give the outputs the masks that `compute_mask` returns."""
    if mask is None and not layer._computes_masks:
        return
    first = next(iter(info.arguments(args, kwargs).values()), None)
    computed = layer.compute_mask(first, mask)
    # One mask is that of the first output: others are states or weights.
    masks = [] if computed is None else tree.flatten(computed)
    is_last_word = mask is not None or (info.mask_names and layer._uses_masks)
    given = tree.flatten((args, kwargs)) if masking.alive else []
    for i, x in enumerate(tree.flatten(outputs)):
        one = masks[i] if i < len(masks) else None
        # What a layer inside said stays; what an op inside passed on does not.
        if masking.is_passed_on(x) and all(x is not y for y in given):
            if one is not None or is_last_word:
                set_keras_mask(x, one)
        elif one is not None and x is not None and get_keras_mask(x) is None:
            if layer._computes_masks or masking.fits(one, x):
                set_keras_mask(x, one)


def mark_lost(
    layer: Layer, args: Sequence[Any], kwargs: dict[str, Any], outputs: Any
) -> None:
    """Mark outputs of as many axes as an input whose mask has not come as far.

    What `compute_mask` leaves out is not lost, and with less axes it has been used up.
    The marks that were made inside get the layer's path.
    """
    given = [x for x in tree.flatten((args, kwargs)) if masking.carried(x) is not None]
    carries = [masking.carried(x) for x in given]
    for x in tree.flatten(outputs):
        own = masking.carried(x)
        if own is None and hasattr(x, "shape"):
            own = _lost_by(layer, given, x)
            if own is not None:
                masking.set_lost_mask(x, own)
        if isinstance(own, LostMask) and all(own is not one for one in carries):
            own.layer = own.layer or layer.path


def _lost_by(layer, given, output):
    for x in given:
        carried = masking.carried(x)
        is_mark = isinstance(carried, LostMask)
        # A mask that comes in goes where `compute_mask` says, a mark only without it.
        if layer._supports_masking and (layer._computes_masks or not is_mark):
            continue
        if len(output.shape) >= len(x.shape):
            if not masking.is_of_rows(carried, output):
                return masking.lost(carried)
    return None
