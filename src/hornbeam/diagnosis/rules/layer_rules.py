"""Rules about layers: what they give, and what comes back to their weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hornbeam.diagnosis.facts import Facts
from hornbeam.diagnosis.findings import Finding
from hornbeam.diagnosis.probe import activation_of
from hornbeam.layers.core.embedding import Embedding
from hornbeam.layers.normalization.batch_normalization import BatchNormalization

_DEAD = 0.5
_SATURATED = 0.8
# Each layer of sigmoids takes a factor of at least 4 from what is passed back
# (Hochreiter 1991; Glorot, Bengio 2010). A network whose first layer gets less than
# this share of the last one's gradient learns with its last layers alone.
_VANISHING = 1e-4
# Gradients beyond it are not of this world; with the usual rates one step breaks all.
_EXPLODING = 1e3
# The batch's mean and variance of so few values are noise (Wu, He 2018).
_FEW_VALUES = 8
_DROPOUT = 0.9
# The least positive number of float16 is 6e-8: smaller gradients are 0.
_HALF_ZEROS = 0.3
_KERNELS = ("kernel", "embeddings", "recurrent_kernel", "depthwise_kernel",
            "pointwise_kernel")  # fmt: skip


def weights_not_finite(facts: Facts) -> Iterator[Finding]:
    """NaN or infinity in weights."""
    for _, variable in facts.weights():
        value = facts.values.get(id(variable))
        if value is not None and _bad(value):
            yield Finding(
                "weights-not-finite",
                variable.path,
                f"{_bad(value)} of {value.size} values are NaN or infinite.",
                "Make the model anew or load other weights; then train with "
                "`fit(on_nan='explain')` to see where it comes from.",
                "error",
            )


def _bad(x):
    x = np.asarray(x)
    if x.dtype.kind in "iub":
        return 0
    return int((~np.isfinite(x.astype(np.float32))).sum())


def first_not_finite(facts: Facts) -> Iterator[Finding]:
    """The first layer that gives NaN or infinity, or the first such gradient."""
    look = facts.look
    if look is None:
        return
    found = origin(look)
    if found is not None and not any(weights_not_finite(facts)):
        kind, where, evidence = found
        evidence += facts.operation
        advice = (
            "Look at the layer's operations for a division by 0, a logarithm or root "
            "of numbers that are not positive, or an exponential of large ones."
        )
        if not _data_is_finite(facts):
            advice = "Mend the data first: see above."
        yield Finding(f"{kind}-not-finite", where, evidence, advice, "error")


def _data_is_finite(facts):
    given = [*facts.inputs.values(), *(output.target for output in facts.outputs)]
    return all(
        not isinstance(x, np.ndarray) or x.dtype.kind != "f" or np.isfinite(x).all()
        for x in [*given, facts.sample_weight]
    )


def origin(look: Any) -> tuple[str, str, str] | None:
    """Return what is not finite first, in the order of the pass.

    Returns:
        `(kind, where, evidence)`: kind is "layer", "loss" or "gradient"; None where
        all is finite.
    """
    for call in look.calls:
        bad = sum(s.bad for s in call.outputs)
        if not bad:
            continue
        size = sum(int(np.prod(s.shape)) for s in call.outputs)
        ranges = ", ".join(s.range() for s in call.inputs) or "none"
        already = sum(s.bad for s in call.inputs)
        name = f"{type(call.layer).__name__} layer"
        seen = f"Its inputs are in {ranges}" + (
            f", and {already} of them are NaN or infinite already: they come from "
            "outside of the layers that are looked at."
            if already
            else "."
        )
        return (
            "layer",
            call.layer.path,
            f"{bad} of {size} outputs of this {name} are NaN or infinite. {seen}",
        )
    if look.loss is not None and not np.isfinite(look.loss):
        low = min((float(np.min(x)) for x in look.outputs), default=0.0)
        high = max((float(np.max(x)) for x in look.outputs), default=0.0)
        return (
            "loss",
            "loss",
            f"The loss is {look.loss}, and the predictions, in [{low:.4g}, "
            f"{high:.4g}], are finite.",
        )
    # What is passed back meets the last layers first.
    for gradient in reversed(look.gradients):
        if gradient.bad:
            size = int(np.prod(gradient.variable.shape))
            ranges = ", ".join(
                s.range()
                for call in look.calls
                if any(v is gradient.variable for v in call.layer._own_weights())
                for s in call.inputs[:1]
            )
            return (
                "gradient",
                gradient.variable.path,
                f"{gradient.bad} of {size} values of the gradient are NaN or infinite, "
                f"where the loss, {look.loss:.4g}, is finite."
                + (f" The layer's inputs are in {ranges}." if ranges else ""),
            )
    return None


def dead_relus(facts: Facts) -> Iterator[Finding]:
    """Units behind a ReLU that are 0 for all rows."""
    for call in facts.calls:
        if activation_of(call.layer) not in ("relu", "relu6") or not call.outputs:
            continue
        seen = call.outputs[0]
        if seen.dead > _DEAD and seen.shape[0] >= 4:
            yield Finding(
                "dead-relu",
                call.layer.path,
                f"{seen.dead:.0%} of the {seen.shape[-1]} units are 0 for all "
                f"{seen.shape[0]} rows looked at: no gradient passes them.",
                "Use a smaller learning rate, kernel_initializer='he_normal' with "
                "biases of 0, or `keras.layers.LeakyReLU`.",
                "error" if seen.dead == 1 else "warning",
            )


def saturated(facts: Facts) -> Iterator[Finding]:
    """Sigmoids and tanhs at the end of their range, softmaxes that are sure."""
    producers = set() if facts.look is None else set(facts.look.producers)
    for number, call in enumerate(facts.calls):
        name = activation_of(call.layer)
        if name not in ("sigmoid", "tanh", "softmax") or not call.outputs:
            continue
        # What is sure of its answers may be right: see "loss-above-chance".
        is_output = number in producers
        seen = call.outputs[0]
        if (
            seen.saturated <= _SATURATED
            or seen.shape[-1:] == (1,)
            and name == "softmax"
        ):
            continue
        if is_output and not _is_wrong(facts):
            continue
        yield Finding(
            "saturated",
            call.layer.path,
            f"{seen.saturated:.0%} of the outputs of {name!r} are at the end of its "
            f"range ({seen.range()}), where it passes hardly any gradient back.",
            "Scale the inputs, use smaller initial weights, or put a "
            "`BatchNormalization` before the activation.",
        )


def _is_wrong(facts):
    look = facts.look
    classes = max((o.units or 2 for o in facts.outputs), default=2)
    return look.loss is not None and look.loss > 2 * np.log(max(2, classes))


def vanishing(facts: Facts) -> Iterator[Finding]:
    """Gradients that shrink or grow from layer to layer."""
    if facts.look is None or facts.own_step:
        return
    layers = [(g.variable, g.rms) for g in facts.look.gradients
              if len(g.variable.shape) >= 2 and not g.bad]  # fmt: skip
    alive = [(variable, rms) for variable, rms in layers if rms > 0]
    if len(alive) < 3:
        return
    place = min(range(len(alive)), key=lambda i: alive[i][1])
    (least, low), (_, last) = alive[place], alive[-1]
    if low < _VANISHING * last and place < len(alive) // 2:
        yield Finding(
            "vanishing-gradient",
            least.path,
            f"The root mean square of its gradient is {low:.3g}, that of the last "
            f"layer's {last:.3g}.",
            "Use ReLUs with kernel_initializer='he_normal', batch or layer "
            "normalisation, or shortcuts around layers.",
        )


def exploding(facts: Facts) -> Iterator[Finding]:
    """Gradients that are large, and larger in the first layers."""
    if facts.look is None or facts.own_step:
        return
    found = [g for g in facts.look.gradients if len(g.variable.shape) >= 2]
    if not found:
        return
    most = max(found, key=lambda g: g.norm)
    if most.norm > _EXPLODING:
        yield Finding(
            "exploding-gradient",
            most.variable.path,
            f"The norm of its gradient is {most.norm:.3g}, that of the last layer's "
            f"{found[-1].norm:.3g}.",
            "Scale inputs and targets, use smaller initial weights or "
            "normalisation, or clip: `optimizer(clipnorm=1.0)`.",
        )


def frozen(facts: Facts) -> Iterator[Finding]:
    """A model in which nothing is trained."""
    model = facts.model
    if model.built and model.weights and not model.trainable_variables:
        yield Finding(
            "all-frozen",
            model.name,
            f"None of the {len(model.weights)} weights is trainable.",
            "Set `layer.trainable = True` where training should change something, and "
            "compile again.",
            "error",
        )


def tiny_batches(facts: Facts) -> Iterator[Finding]:
    """Batch normalisation over a few values."""
    for call in facts.calls:
        if not isinstance(call.layer, BatchNormalization) or not call.inputs:
            continue
        shape = call.inputs[0].shape
        axes = [i for i in range(1, len(shape)) if i != call.layer.axis % len(shape)]
        values = facts.batch_size * int(np.prod([shape[i] for i in axes] or [1]))
        if values < _FEW_VALUES and call.layer.trainable:
            yield Finding(
                "batch-norm-of-few",
                call.layer.path,
                f"With batches of {facts.batch_size} it takes means over {values} "
                "values.",
                "Use larger batches, or `GroupNormalization` or `LayerNormalization`.",
            )


def dropped_out(facts: Facts) -> Iterator[Finding]:
    """Dropout of nearly everything."""
    for layer in facts.layers:
        rate = getattr(layer, "rate", None)
        if "Dropout" in type(layer).__name__ and isinstance(rate, int | float):
            if rate >= _DROPOUT:
                yield Finding(
                    "dropout-high",
                    layer.path,
                    f"Its rate is {rate:g}: {1 - rate:.0%} of the values are kept.",
                    "Rates from 0.1 to 0.5 are usual; `rate` is the share that is "
                    "dropped.",
                )


def underflows(facts: Facts) -> Iterator[Finding]:
    """Gradients in float16 without a scale of the loss."""
    optimizer, look = getattr(facts.model, "optimizer", None), facts.look
    if look is None or facts.own_step or optimizer is None:
        return
    if hasattr(optimizer, "dynamic_scale") or optimizer.loss_scale_factor:
        return
    halves = {id(v) for layer in facts.model._flatten_layers()
              if layer.compute_dtype == "float16"
              for v in layer._own_weights()}  # fmt: skip
    found = [g for g in look.gradients if id(g.variable) in halves]
    if not found:
        return
    worst = max(found, key=lambda g: g.zeros)
    if worst.zeros > _HALF_ZEROS:
        yield Finding(
            "float16-underflow",
            worst.variable.path,
            f"{worst.zeros:.0%} of its gradient is 0, the greatest is "
            f"{worst.greatest:.3g}; float16 has no numbers below 6e-08.",
            "Compile with `auto_scale_loss=True`, wrap the optimizer in "
            "`keras.optimizers.LossScaleOptimizer`, or use 'mixed_bfloat16'.",
        )


def indices(facts: Facts) -> Iterator[Finding]:
    """Integers that an Embedding inside the model has no row for."""
    if "data" in facts.refused:
        return
    for call in facts.calls:
        if isinstance(call.layer, Embedding) and call.inputs:
            seen, rows = call.inputs[0], call.layer.input_dim
            if seen.low < 0 or seen.high >= rows:
                yield Finding(
                    "index-out-of-range",
                    call.layer.path,
                    f"It looks up integers in {seen.range()}, and has rows for 0 to "
                    f"{rows - 1}.",
                    f"Make its `input_dim` {int(seen.high) + 1}, or check the data.",
                    "error",
                )


def equal_units(facts: Facts) -> Iterator[Finding]:
    """Units that start equal, and stay so: all learn the same."""
    if facts.steps is None or facts.steps.failed:
        return
    for layer, variable in facts.weights():
        if variable.name not in _KERNELS or not variable.trainable:
            continue
        values = facts.values[id(variable)], facts.later.get(id(variable))
        if values[1] is None or len(variable.shape) < 2 or variable.shape[-1] < 2:
            continue
        if all(_units_are_equal(x) for x in values):
            value = f"{values[0].reshape(-1)[0]:.3g}"
            zero = " (all are 0)" if not values[0].any() else f" (the first is {value})"
            yield Finding(
                "equal-units",
                variable.path,
                f"All {variable.shape[-1]} units have equal weights{zero}, also after "
                f"{len(facts.steps.losses)} steps: they compute the same.",
                f"Start from different numbers: kernel_initializer='glorot_uniform' "
                f"in layer {layer.name!r}.",
                "error",
            )


def _units_are_equal(x):
    x = np.asarray(x).astype(np.float64)
    size = np.abs(x).max(initial=0)
    return bool(np.isfinite(size) and np.ptp(x, axis=-1).max() <= 1e-7 * size)


RULES = (
    weights_not_finite, first_not_finite, dead_relus, saturated, vanishing, exploding,
    frozen, tiny_batches, dropped_out, underflows, indices, equal_units,
)  # fmt: skip
