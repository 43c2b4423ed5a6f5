"""A GPT-2 of two blocks that writes token by token, with a cache of keys and values.

hornbeam and Keras run KerasHub's model with its greedy sampler; by hand it is a loop on
the device in JAX.
"""

import functools
import importlib
import os
import statistics
import time

import numpy as np

VOCABULARY, BLOCKS, HEADS, WIDTH, LENGTH, PROMPT = 1000, 2, 4, 128, 80, 16
_BATCHES, _CALLS = (1, 16), 5


def figures(library):
    """Return the seconds of 64 more tokens, by the number of texts written at once."""
    if library in ("hornbeam", "keras"):
        write = _by_keras_hub(library)
    elif (library, os.environ["KERAS_BACKEND"]) == ("hand", "jax"):
        write = _by_hand()
    else:
        return {}
    found = {}
    for batch in _BATCHES:
        prompt = np.arange(batch * PROMPT, dtype="int32").reshape(batch, PROMPT)
        seconds = []
        for _ in range(1 + _CALLS):
            started = time.perf_counter()
            made = np.asarray(write(prompt % VOCABULARY))
            seconds.append(time.perf_counter() - started)
        if made.shape != (batch, LENGTH):
            raise ValueError(f"{library} wrote tokens of shape {made.shape}.")
        name = f"64 tokens of {batch} text{'s' * (batch > 1)}"
        found[f"{name}, first"] = seconds[0]
        found[name] = statistics.median(seconds[1:])
    return found


def _by_keras_hub(library):
    if library == "hornbeam":
        importlib.import_module("hornbeam.as_keras")
    hub = importlib.import_module("keras_hub")
    backbone = hub.models.GPT2Backbone(
        vocabulary_size=VOCABULARY,
        num_layers=BLOCKS,
        num_heads=HEADS,
        hidden_dim=WIDTH,
        intermediate_dim=4 * WIDTH,
        max_sequence_length=LENGTH,
    )
    model = hub.models.GPT2CausalLM(backbone, preprocessor=None)
    model.compile(sampler="greedy")

    def write(prompt):
        tokens = np.zeros((len(prompt), LENGTH), "int32")
        tokens[:, :PROMPT] = prompt
        mask = np.arange(LENGTH) < PROMPT
        inputs = {"token_ids": tokens, "padding_mask": np.tile(mask, (len(prompt), 1))}
        return model.generate(inputs, stop_token_ids=None)["token_ids"]

    return write


def _by_hand():
    import jax
    import jax.numpy as jnp
    from jax import lax, nn

    random = np.random.default_rng(0)

    def matrix(*shape):
        return jnp.asarray(0.05 * random.standard_normal(shape, "float32"))

    def dense(inputs, outputs):
        return matrix(inputs, outputs), jnp.zeros(outputs)

    shapes = (
        (WIDTH, 3 * WIDTH),
        (WIDTH, WIDTH),
        (WIDTH, 4 * WIDTH),
        (4 * WIDTH, WIDTH),
    )
    blocks = [[dense(*shape) for shape in shapes] for _ in range(BLOCKS)]
    weights = matrix(VOCABULARY, WIDTH), matrix(LENGTH, WIDTH), blocks

    def normed(x):
        return (x - x.mean(-1, keepdims=True)) * lax.rsqrt(
            x.var(-1, keepdims=True) + 1e-5
        )

    def step(weights, caches, tokens, place):
        """Return the caches with the steps from `place` on, and the next tokens."""
        embedding, positions, blocks = weights
        batch, steps = tokens.shape
        x = embedding[tokens] + lax.dynamic_slice_in_dim(positions, place, steps)
        seen = jnp.arange(LENGTH) <= place + jnp.arange(steps)[:, None]
        new = []
        for (mixed, out, up, down), cache in zip(blocks, caches, strict=True):
            qkv = (normed(x) @ mixed[0] + mixed[1]).reshape(batch, steps, 3, HEADS, -1)
            cache = lax.dynamic_update_slice_in_dim(cache, qkv[:, :, 1:], place, 1)
            scores = jnp.einsum("bqhd,bkhd->bhqk", qkv[:, :, 0], cache[:, :, 0])
            scores = jnp.where(seen, scores / np.sqrt(WIDTH // HEADS), -1e9)
            y = jnp.einsum("bhqk,bkhd->bqhd", nn.softmax(scores), cache[:, :, 1])
            x += y.reshape(batch, steps, WIDTH) @ out[0] + out[1]
            x += nn.gelu(normed(x) @ up[0] + up[1]) @ down[0] + down[1]
            new.append(cache)
        return new, (normed(x[:, -1]) @ embedding.T).argmax(-1).astype("int32")

    @jax.jit
    def write(weights, prompt):
        shape = len(prompt), LENGTH, 2, HEADS, WIDTH // HEADS
        caches, token = step(weights, [jnp.zeros(shape)] * BLOCKS, prompt, 0)
        tokens = jnp.zeros((len(prompt), LENGTH), "int32").at[:, :PROMPT].set(prompt)

        def more(place, state):
            caches, tokens, token = state
            tokens = lax.dynamic_update_slice_in_dim(tokens, token[:, None], place, 1)
            caches, token = step(weights, caches, token[:, None], place)
            return caches, tokens, token

        return lax.fori_loop(PROMPT, LENGTH, more, (caches, tokens, token))[1]

    return functools.partial(write, weights)
