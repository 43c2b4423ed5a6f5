"""How masks pass through the call of a layer.

`call` gets the masks of its inputs, and `compute_mask` returns those of its outputs.
Without a `compute_mask` the outputs keep the masks that the layers and ops inside set,
and are marked where a mask was lost.
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
        input_mask = mask if name == first else masks_of(arguments[name])
        if input_mask is not None and not info.is_positional(mask_name, args):
            kwargs = {**kwargs, mask_name: input_mask}
        elif input_mask is None and masking.alive and layer._uses_masks:
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
    inputs = tree.flatten((args, kwargs)) if masking.alive else []
    for i, x in enumerate(tree.flatten(outputs)):
        one = masks[i] if i < len(masks) else None
        # A mask set by a layer inside stays; one passed on by an op does not.
        if masking.is_passed_on(x) and all(x is not y for y in inputs):
            if one is not None or is_last_word:
                set_keras_mask(x, one)
        elif one is not None and x is not None and get_keras_mask(x) is None:
            if layer._computes_masks or masking.fits(one, x):
                set_keras_mask(x, one)


def mark_lost(
    layer: Layer, args: Sequence[Any], kwargs: dict[str, Any], outputs: Any
) -> None:
    """Mark outputs of as many axes as an input whose mask has not come as far.

    A mask that `compute_mask` leaves out is not lost, and one with fewer axes has been
    used. Marks set inside get the layer's path.
    """
    inputs = [x for x in tree.flatten((args, kwargs)) if masking.carried(x) is not None]
    input_marks = [masking.carried(x) for x in inputs]
    for x in tree.flatten(outputs):
        mark = masking.carried(x)
        if mark is None and hasattr(x, "shape"):
            mark = _lost_by(layer, inputs, x)
            if mark is not None:
                masking.set_lost_mask(x, mark)
        if isinstance(mark, LostMask) and all(mark is not one for one in input_marks):
            mark.layer = mark.layer or layer.path


def _lost_by(layer, inputs, output):
    for x in inputs:
        carried = masking.carried(x)
        is_mark = isinstance(carried, LostMask)
        # `compute_mask` decides about masks, and about marks only the lack of it.
        if layer._supports_masking and (layer._computes_masks or not is_mark):
            continue
        if len(output.shape) >= len(x.shape):
            if not masking.is_of_rows(carried, output):
                return masking.lost(carried)
    return None
