"""predict: the outputs of a model for data, as NumPy arrays."""

import numpy as np

from hornbeam.core import tree

# Rows in a step where the caller does not say: as many as make a step worth its call.
_SMALLEST, _LARGEST, _BYTES = 32, 1024, 1 << 20


def predict(model, x, batch_size, verbose, steps, callbacks):
    """Return the outputs of `model` for `x`; see `Model.predict`."""
    from hornbeam.callbacks import CallbackList
    from hornbeam.data import make_data

    with model._engine_scope():
        data = make_data(x, batch_size=batch_size, steps=steps, continues=False)
        model._prepare(data, "predict")
        runner = model._one_batch("predict")
        if data.in_memory and batch_size is None and steps is None:
            if getattr(runner, "masked", True):
                data.batch_size = _batch_size(data)
                data.steps = -(-data.rows // data.batch_size)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                model=model,
                verbose=verbose,
                epochs=1,
                steps=data.steps,
            )
        wants_batches = callbacks.wants_batches("predict")
        callbacks.on_predict_begin()
        collected = []
        try:
            for step, batch in enumerate(_batches(data)):
                if wants_batches:
                    callbacks.on_predict_batch_begin(step)
                collected.append(_padded_run(runner, batch))
                if wants_batches:
                    outputs = _joined(collected[-1:])
                    callbacks.on_predict_batch_end(step, {"outputs": outputs})
                callbacks.progress(step + 1)
            outputs = _joined(collected)
            callbacks.on_predict_end()
        finally:
            data.close()
            callbacks.close()
        return outputs


def _batch_size(data):
    leaves = [a for a in tree.flatten(data.arrays) if a is not None]
    bytes_a_row = max(1, sum(a.nbytes for a in leaves) // data.rows)
    size = _SMALLEST
    while size < _LARGEST and size * 2 * bytes_a_row <= _BYTES:
        size *= 2
    return min(size, data.rows)


def _batches(data):
    if not data.in_memory:
        data.on_epoch_begin(0)
        yield from data
        return
    size = data.batch_size
    for step in range(data.steps):
        begin, end = step * size, (step + 1) * size
        yield tree.map_structure(
            lambda a, begin=begin, end=end: None if a is None else a[begin:end],
            data.arrays,
        )


def _padded_run(runner, batch):
    """Run a batch; one that is smaller than a power of two is padded up to it.

    So the sizes of small calls are few, and so are the programs.
    """
    if getattr(runner, "masked", False):
        rows = len(next(x for x in tree.flatten(batch) if x is not None))
        runner.batch_size = max(rows, 1 << (rows - 1).bit_length())
    return runner.run(batch)


def _joined(collected):
    """Return the outputs of all batches as arrays, without the padded rows."""
    from hornbeam import ops

    def join(*parts):
        arrays = [
            ops.convert_to_numpy(part)[:rows]
            for part, (_, rows) in zip(parts, collected, strict=True)
        ]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)

    if not collected:
        raise ValueError("predict() received no data.")
    return tree.map_structure(join, *[outputs for outputs, _ in collected])
