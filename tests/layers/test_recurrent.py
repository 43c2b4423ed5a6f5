"""Recurrent layers: masks, states, dropout, directions, cells of users, both roads."""

import numpy as np
import pytest

import hornbeam as keras
from hornbeam import backends
from hornbeam.training.execution.programs import cache
from tests.compilation import applied, program, traced
from tests.layers import recurrent_oracles as oracles

layers = keras.layers
KINDS = {
    "SimpleRNN": (oracles.simple, 1),
    "LSTM": (oracles.lstm, 2),
    "GRU": (oracles.gru, 1),
}
X = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
MASK = np.array([[0, 1, 0, 1, 1], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]], bool)
every_kind = pytest.mark.parametrize("kind", KINDS)


def numpy(x):
    return np.asarray(keras.ops.convert_to_numpy(x), "float64")


def made(kind, units=3, x=X, **options):
    layer = getattr(layers, kind)(units, **options)
    layer.build(x.shape)
    return randomised(layer)


def randomised(layer, seed=1):
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def wanted(kind, layer, x=X, states=None, mask=None):
    step, count = KINDS[kind]
    states = [np.zeros((len(x), 3))] * count if states is None else states
    weights = [np.asarray(w, "float64") for w in layer.get_weights()]
    return oracles.run(step, np.asarray(x, "float64"), states, weights, mask)


def close(found, expected):
    np.testing.assert_allclose(numpy(found), expected, rtol=2e-5, atol=2e-6)


@every_kind
@pytest.mark.parametrize("use_cudnn", ["auto", False])
@pytest.mark.parametrize("masked", [False, True])
def test_outputs_and_states(engine, kind, use_cudnn, masked):
    options = {} if kind == "SimpleRNN" else {"use_cudnn": use_cudnn}
    layer = made(kind, return_sequences=True, return_state=True, **options)
    rng = np.random.default_rng(2)
    start = [rng.normal(size=(3, 3)).astype("float32") for _ in range(KINDS[kind][1])]
    mask = MASK if masked else None
    outputs, *states = applied(layer, X, initial_state=start, mask=mask)
    expected, last = wanted(kind, layer, states=start, mask=mask)
    close(outputs, expected)
    for found, state in zip(states, last, strict=True):
        close(found, state)


@every_kind
def test_cell_is_one_step(engine, kind):
    step, count = KINDS[kind]
    cell = getattr(layers, f"{kind}Cell")(3)
    cell(X[:, 0], cell.get_initial_state(3))
    randomised(cell)
    states = [np.full((3, 3), 0.25 + i, "float32") for i in range(count)]
    output, new = cell(X[:, 0], states)
    expected = step(X[:, 0], states, *cell.get_weights())
    close(output, expected[0])
    assert len(new) == count
    for found, state in zip(new, expected[1], strict=True):
        close(found, state)


@every_kind
def test_padding_at_the_end_is_skipped(engine, kind):
    layer = made(kind)
    lengths = [4, 2, 1]
    mask = np.arange(5) < np.array(lengths)[:, None]
    together = numpy(applied(layer, X, mask=mask))

    def alone(x):
        return [layer(x[i : i + 1, :n]) for i, n in enumerate(lengths)]

    rows = program(engine, alone)(keras.ops.convert_to_tensor(X))
    for row, found in enumerate(rows):
        close(found, together[row : row + 1])


def test_zero_output_for_mask(engine):
    layer = made("GRU", return_sequences=True, zero_output_for_mask=True)
    held = wanted("GRU", layer, mask=MASK)[0]
    close(applied(layer, X, mask=MASK), np.where(MASK[:, :, None], held, 0.0))
    layer.return_sequences = False
    close(applied(layer, X, mask=MASK), np.where(MASK[:, -1:], held[:, -1], 0.0))


@pytest.mark.parametrize("unroll", [False, True])
def test_go_backwards(engine, unroll):
    layer = made("LSTM", go_backwards=True, return_sequences=True, unroll=unroll)
    expected, _ = wanted("LSTM", layer, X[:, ::-1], mask=MASK[:, ::-1])
    close(applied(layer, X, mask=MASK), expected)


@every_kind
def test_stateful_batches_are_one_long_sequence(engine, kind):
    layer = made(kind, stateful=True)
    whole = made(kind)
    expected = numpy(applied(whole, np.concatenate([X, -X], 1)))
    for _ in range(2):
        layer(X)
        close(layer(-X), expected)
        layer.reset_state()
    assert len(layer.weights) == 3
    with pytest.raises(ValueError, match="stateful"):
        layer(X[:2])


def test_stateful_needs_a_batch_size():
    with pytest.raises(ValueError, match="batch size"):
        layers.LSTM(3, stateful=True)(keras.Input((5, 2)))


def test_states_go_on_in_programs(training_engine):
    model = keras.Sequential([keras.Input((5, 2), batch_size=3), made_later()])
    layer = model.layers[0]
    randomised(layer)
    model.compile("sgd", "mse")
    found = model.predict(np.concatenate([X, -X]), batch_size=3, verbose=0)
    expected, last = wanted("GRU", layer, np.concatenate([X, -X], 1))
    np.testing.assert_allclose(found[3:], expected[:, -1], rtol=2e-5, atol=2e-6)
    close(layer.states[0], last[0])
    model.fit(X, np.ones((3, 3)), batch_size=3, shuffle=False, verbose=0)
    assert not np.allclose(numpy(layer.states[0]), last[0])


def made_later():
    return layers.GRU(3, stateful=True)


MERGES = {
    "concat": lambda f, b: np.concatenate([f, b], -1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda f, b: (f + b) / 2,
}


@pytest.mark.parametrize("mode", [*MERGES, None])
@pytest.mark.parametrize("sequences", [False, True])
def test_bidirectional(engine, mode, sequences):
    inner = layers.LSTM(3, return_sequences=sequences, return_state=True)
    layer = layers.Bidirectional(inner, merge_mode=mode)
    layer.build(X.shape)
    randomised(layer)
    forward, states = wanted("LSTM", layer.forward_layer)
    backward, back_states = wanted("LSTM", layer.backward_layer, X[:, ::-1])
    if sequences:
        pair = forward, backward[:, ::-1]
    else:
        pair = forward[:, -1], backward[:, -1]
    outputs = pair if mode is None else (MERGES[mode](*pair),)
    found = applied(layer, X)
    expected = [*outputs, *states, *back_states]
    for one, value in zip(found, expected, strict=True):
        close(one, value)
    shapes = layer.compute_output_shape(X.shape)
    assert [tuple(s) for s in shapes] == [v.shape for v in expected]
    again = applied(layer, X, initial_state=found[-4:])
    assert not np.allclose(numpy(again[0]), numpy(found[0]))


def test_bidirectional_checks_its_layers():
    with pytest.raises(ValueError, match="go_backwards"):
        layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2))
    with pytest.raises(ValueError, match="return_sequences"):
        layers.Bidirectional(
            layers.GRU(2),
            backward_layer=layers.GRU(2, go_backwards=True, return_sequences=True),
        )
    with pytest.raises(ValueError, match="recurrent layer"):
        layers.Bidirectional(layers.Dense(2))
    with pytest.raises(ValueError, match="merge_mode"):
        layers.Bidirectional(layers.GRU(2), merge_mode="first")


@pytest.mark.parametrize("masked", [False, True])
def test_stacked_cells_are_layers_in_a_row(engine, masked):
    mask = MASK if masked else None
    stack = layers.RNN([layers.LSTMCell(3), layers.GRUCell(3)], return_state=True)
    stack.build(X.shape)
    randomised(stack)
    lstm = made("LSTM", return_sequences=True)
    gru = made("GRU", x=np.zeros((3, 5, 3)))
    lstm.set_weights(stack.get_weights()[:3])
    gru.set_weights(stack.get_weights()[3:])
    output, first, second = applied(stack, X, mask=mask)
    in_a_row = program(engine, lambda x: gru(lstm(x, mask=mask), mask=mask))
    close(output, numpy(in_a_row(keras.ops.convert_to_tensor(X))))
    assert len(first) == 2 and len(second) == 1
    again = applied(stack, X, mask=mask, initial_state=[first, second])
    assert not np.allclose(numpy(again[0]), numpy(output))


class Noisy(keras.layers.Layer):
    """A user's cell: a sum, with dropout of its own and a count of its steps."""

    state_size = 2

    def build(self, shape):
        self.steps = self.add_weight(initializer="zeros", trainable=False)
        self.drop = layers.Dropout(0.5, seed=1)

    def call(self, x, states, training=False):
        self.steps.assign_add(1.0)
        total = states[0] + self.drop(x, training=training)
        return total, [total]


def test_custom_cell_keeps_what_it_assigns(engine):
    layer = layers.RNN(Noisy(), return_sequences=True)
    close(layer(X), X.cumsum(1))
    assert float(layer.cell.steps.numpy()) == 5
    drops = np.diff(numpy(layer(X, training=True)), axis=1) / X[:, 1:]
    assert set(np.round(drops.ravel(), 3)) == {0.0, 2.0}
    # Other elements at each step.
    assert len(np.unique(drops.round().reshape(3, 4, 2), axis=1)[0]) > 1


def test_custom_cell_inside_programs(training_engine):
    model = keras.Sequential([keras.Input((5, 2)), layers.RNN(Noisy())])
    model.compile("sgd", "mse", run_eagerly=False)
    model.evaluate(X, np.ones((3, 2)), batch_size=3, verbose=0)
    assert float(model.layers[0].cell.steps.numpy()) == 5


def test_cell_without_a_layer(engine):
    class Plain:
        state_size = 2

        def call(self, x, states):
            return x, states

        __call__ = call

    close(layers.RNN(Plain())(X), X[:, -1])


def test_call_of_a_subclass_is_used(engine):
    class Doubled(layers.LSTMCell):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training)
            return 2 * output, states

    layer = layers.RNN(Doubled(3))
    layer.build(X.shape)
    randomised(layer)
    close(applied(layer, X), 2 * wanted("LSTM", layer)[0][:, -1])


@pytest.mark.parametrize("cell", [3, layers.Dense(3)], ids=["no call", "no state_size"])
def test_bad_cells(cell):
    with pytest.raises(ValueError, match="recurrent cell must have"):
        layers.RNN(cell)


def test_bad_initial_states(engine):
    with pytest.raises(ValueError, match="Expected 2. Received: 1"):
        made("LSTM")(X, initial_state=[np.zeros((3, 3), "float32")])


@every_kind
@pytest.mark.parametrize("implementation", [1, 2])
def test_dropout_is_the_same_at_all_steps(engine, kind, implementation):
    rates = {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 7}
    layer = made(kind, implementation=implementation, **rates)
    cell = getattr(layers, f"{kind}Cell")(3, implementation=implementation, **rates)
    step = keras.ops.convert_to_tensor(X[:, 0])
    masks = (
        cell.get_dropout_mask(step),
        cell.get_recurrent_dropout_mask(keras.ops.zeros((3, 3))),
    )
    if kind == "SimpleRNN":
        masks = [[mask] for mask in masks]
    assert (masks[0][0] is masks[0][-1]) == (implementation == 2 or len(masks[0]) == 1)
    on_x, on_h = ([numpy(m) for m in mask] for mask in masks)
    W, U, *b = (np.asarray(w, "float64") for w in layer.get_weights())
    n = len(on_x)

    def gated(value, factors, weight):
        pairs = zip(factors, np.split(weight, n, -1), strict=True)
        return np.concatenate([value * m @ w for m, w in pairs], -1)

    h, c = np.zeros((3, 3)), np.zeros((3, 3))
    for t in range(5):
        x_part, h_part = gated(X[:, t], on_x, W), gated(h, on_h, U)
        if kind == "LSTM":
            h, (_, c) = oracles._lstm(x_part + h_part + b[0], c)
        elif kind == "SimpleRNN":
            h = np.tanh(x_part + h_part + b[0])
        else:
            z, r = oracles.sigmoid(
                np.stack(np.split((x_part + h_part + b[0].sum(0))[:, :6], 2, -1))
            )
            g = np.tanh(x_part[:, 6:] + b[0][0, 6:] + r * (h_part + b[0][1])[:, 6:])
            h = z * h + (1 - z) * g

    def calls(x):
        weights, states = ([v.value for v in vs] for vs in variables)
        noisy, states = layer.stateless_call(weights, states, x, training=True)
        other, states = layer.stateless_call(weights, states, x, training=True)
        return noisy, other, layer.stateless_call(weights, states, x)[0]

    variables = layer.trainable_variables, layer.non_trainable_variables
    first, second, calm = program(engine, calls)(keras.ops.convert_to_tensor(X))
    close(first, h)
    assert not np.allclose(numpy(second), h)
    close(calm, wanted(kind, layer)[0][:, -1])


@every_kind
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("name", ["torch", "jax"])
def test_gradients_of_both_roads(name, kind, masked, dropout, monkeypatch):
    """torch's kernel and the loop, JAX's loop with and without the inputs' product."""
    with backends.scope(name) as engine:
        found = []
        for fast in (True, False):
            layer = made(kind, dropout=dropout, seed=3, return_sequences=True)
            if name == "torch":
                layer.cell.use_cudnn = fast
            else:
                monkeypatch.setattr(
                    engine, "projects_in_loop", lambda *_, fast=fast: fast
                )
            fixed = [v.value for v in layer.non_trainable_variables]

            def loss(values, layer=layer, fixed=fixed):
                outputs, _ = layer.stateless_call(
                    values[1:],
                    fixed,
                    values[0],
                    training=True,
                    mask=MASK if masked else None,
                )
                weights = keras.ops.arange(5.0)[:, None]
                return keras.ops.sum(outputs * weights)

            values = [keras.ops.convert_to_tensor(X)]
            values += [v.value for v in layer.trainable_variables]
            value, gradients = engine.value_and_grad(loss)(values)
            found.append([value, *gradients])
    for fast, slow in zip(*found, strict=True):
        np.testing.assert_allclose(numpy(fast), numpy(slow), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_gradients_against_torch(training_engine, kind):
    import torch

    layer = made(kind)
    W, U, b = layer.get_weights()
    order = [0, 1, 2, 3] if kind == "LSTM" else [1, 0, 2]

    def as_torch(w):
        parts = np.split(w, len(order), -1)
        return torch.tensor(np.concatenate([parts[i] for i in order], -1).T.copy())

    peer = getattr(torch.nn, kind)(2, 3, batch_first=True)
    rows = (b, 0 * b) if kind == "LSTM" else b
    with torch.no_grad():
        for p, w in zip(peer.parameters(), (W, U, *rows), strict=True):
            p.copy_(as_torch(w))
    peer(torch.tensor(X))[0][:, -1].sum().backward()

    def loss(values):
        return keras.ops.sum(layer.stateless_call(values, fixed, X)[0])

    fixed = [v.value for v in layer.non_trainable_variables]
    values = [v.value for v in layer.trainable_variables]
    run = program(training_engine, training_engine.value_and_grad(loss))
    _, gradients = run(values)
    for gradient, p in zip(gradients[:2], list(peer.parameters())[:2], strict=True):
        np.testing.assert_allclose(
            as_torch(numpy(gradient)), p.grad, rtol=2e-4, atol=2e-5
        )


def test_use_cudnn_true_raises_without_a_kernel():
    with backends.scope("numpy"), pytest.raises(ValueError, match="use_cudnn"):
        made("LSTM", use_cudnn=True)(X)
    with backends.scope("torch"), pytest.raises(ValueError, match="use_cudnn"):
        made("GRU", use_cudnn=True, reset_after=False)(X)


def test_fit_compiles_once_and_rates_are_inputs():
    def model(rate):
        made = keras.Sequential(
            [
                keras.Input((5, 2)),
                layers.LSTM(3, dropout=rate, recurrent_dropout=rate, seed=1),
                layers.Dense(1),
            ]
        )
        made.compile("adam", "mse")
        return made

    def fit(rate, epochs=2):
        before = cache.compilations
        history = model(rate).fit(X, np.ones((3, 1)), 2, epochs=epochs, verbose=0)
        return cache.compilations - before, history.history["loss"]

    with backends.scope("jax"):
        keras.utils.set_random_seed(0)
        count, losses = fit(0.2)
        assert count == 1
        keras.utils.set_random_seed(0)
        count, others = fit(0.6)
        assert count == 0 and losses != others
        assert fit(0.0)[0] == 1


def test_symbolic_initial_states(training_engine):
    """An encoder's states start the decoder."""
    x, y = keras.Input((5, 2)), keras.Input((4, 2))
    _, *states = layers.LSTM(3, return_state=True)(x)
    decoder = layers.LSTM(3, return_sequences=True)
    model = keras.Model([x, y], decoder(y, initial_state=states))
    randomised(model)
    found = model.predict([X, X[:, :4]], verbose=0)
    encoded = wanted("LSTM", model.layers[2])[1]
    expected = wanted("LSTM", decoder, X[:, :4], states=encoded)[0]
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)


def test_inside_time_distributed(engine):
    layer = layers.TimeDistributed(layers.GRU(3))
    x = np.stack([X, -X], 1)
    traced(engine, lambda: layer(x))
    randomised(layer.layer)
    expected = np.stack([wanted("GRU", layer, v)[0][:, -1] for v in (X, -X)], 1)
    close(applied(layer, x), expected)


def test_masks_from_an_embedding(engine):
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    embedding, lstm = layers.Embedding(4, 2, mask_zero=True), layers.LSTM(3)

    def embedded(ids):
        return lstm(embedding(ids)), lstm(embedding(ids[1:, :1]))

    together, alone = program(engine, embedded)(keras.ops.convert_to_tensor(ids))
    close(alone, numpy(together)[1:])


def test_regularizers_and_constraints_reach_the_weights():
    layer = made(
        "LSTM",
        kernel_regularizer="l2",
        recurrent_constraint="max_norm",
        bias_initializer="ones",
    )
    close(layer.losses[0], 0.01 * (layer.get_weights()[0] ** 2).sum())
    assert layer.cell.recurrent_kernel.constraint is layer.recurrent_constraint


def test_forget_gate_starts_open():
    layer = layers.LSTM(2)
    layer.build((1, 3, 2))
    np.testing.assert_array_equal(layer.get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])
