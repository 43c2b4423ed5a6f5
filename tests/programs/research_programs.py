"""Networks that papers describe, with parts that no layer has.

Loops over time, gradients of one's own, state that a call changes, losses from within.
"""

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys
from small_data import citations, digits


@classes
def reversal_class(keras):
    @keras.ops.custom_gradient
    def reverse(x):
        def gradient(*arguments, upstream=None):
            return -(arguments[0] if upstream is None else upstream)

        return x, gradient

    class GradientReversal(keras.layers.Layer):
        """Its input; the gradient goes back with the other sign."""

        def call(self, inputs):
            return reverse(inputs)

    return GradientReversal


@program
def domain_adversarial(keras):
    """Features that tell digits apart and not whether the image is a negative: labels
    are known of the positives alone, so weights differ from output to output."""
    (x, y), _ = digits()
    x, y = x[:800], y[:800]
    layers, losses = keras.layers, keras.losses
    inputs = keras.Input((8, 8, 1))
    features = layers.Dense(32, activation="relu")(layers.Flatten()(inputs))
    reversed_features = reversal_class(keras)()(features)
    outputs = {
        "label": layers.Dense(10, name="label")(features),
        "domain": layers.Dense(1, name="domain")(reversed_features),
    }
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(0.003),
        loss={
            "label": losses.SparseCategoricalCrossentropy(from_logits=True),
            "domain": losses.BinaryCrossentropy(from_logits=True),
        },
        loss_weights={"label": 1.0, "domain": 0.3},
        metrics={"label": ["accuracy"]},
        weighted_metrics={"domain": [keras.metrics.MeanAbsoluteError(name="error")]},
    )
    is_negative = np.repeat([0.0, 1.0], len(x))
    history = model.fit(
        np.concatenate([x, 1 - x]),
        {"label": np.concatenate([y, 0 * y]), "domain": is_negative[:, None]},
        sample_weight={"label": 1 - is_negative, "domain": np.ones(len(is_negative))},
        epochs=8, batch_size=64, verbose=0,
    )  # fmt: skip
    assert_keys(
        history, "loss", "label_loss", "domain_loss", "label_accuracy", "domain_error"
    )
    found = model.predict(x, verbose=0)["label"].argmax(1)
    assert np.mean(found == y) > 0.8
    # The features are made against it: with their own gradient it would be 0.002.
    assert history.history["domain_loss"][-1] > 0.03


@classes
def tagger_class(keras):
    ops = keras.ops

    class Tagger(keras.Model):
        """A conditional random field: a score for each tag and for each pair."""

        def __init__(self, tags):
            super().__init__()
            self.tags = tags
            self.embedding = keras.layers.Embedding(tags, 8)
            self.scores = keras.layers.Dense(tags)
            self.pairs = self.add_weight(
                shape=(tags, tags), initializer="zeros", name="pairs"
            )

        def call(self, inputs):
            return self.scores(self.embedding(inputs))

        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            chosen = ops.one_hot(y, self.tags)
            score = ops.sum(chosen * y_pred, axis=(1, 2))
            steps = ops.einsum(
                "bti,ij,btj->b", chosen[:, :-1], self.pairs, chosen[:, 1:]
            )

            def forward(sums, scores):
                paths = ops.expand_dims(sums, 2) + self.pairs
                sums = ops.logsumexp(paths, axis=1) + scores
                return sums, sums

            later = ops.transpose(y_pred[:, 1:], (1, 0, 2))
            sums, _ = ops.scan(forward, y_pred[:, 0], later)
            return ops.mean(ops.logsumexp(sums, axis=-1) - score - steps)

    return Tagger


@program
def conditional_random_field(keras):
    """Noisy tags of a cycle: the loss is a loop over time in `compute_loss`."""
    random = np.random.default_rng(0)
    tags = (random.integers(0, 4, (400, 1)) + np.arange(7)) % 4
    seen = np.where(
        random.random(tags.shape) < 0.6, tags, random.integers(0, 4, tags.shape)
    )
    model = tagger_class(keras)(4)
    model.compile(keras.optimizers.Adam(0.05))
    data = (seen[300:], tags[300:])
    history = model.fit(
        seen[:300],
        tags[:300],
        batch_size=50,
        epochs=10,
        verbose=0,
        validation_data=data,
    )
    assert_keys(history, "loss", "val_loss")
    assert history.history["val_loss"][-1] < 0.6 * history.history["loss"][0]
    pairs = array(keras, model.pairs)
    np.testing.assert_array_equal(pairs.argmax(1), [1, 2, 3, 0])


@classes
def state_space_class(keras):
    ops = keras.ops

    class StateSpace(keras.layers.Layer):
        """`state = decay * state + input`, over all steps at once."""

        def __init__(self, states, **kwargs):
            super().__init__(**kwargs)
            self.inner = keras.layers.Dense(states, use_bias=False)
            self.outer = keras.layers.Dense(1, use_bias=False)
            self.states = states

        def build(self, input_shape):
            self.decay = self.add_weight(
                shape=(self.states,), initializer="random_uniform", name="decay"
            )
            self.inner.build(input_shape)
            self.outer.build((*input_shape[:-1], self.states))

        def call(self, inputs):
            inputs = self.inner(inputs)
            decay = ops.broadcast_to(ops.sigmoid(self.decay), ops.shape(inputs))

            def after(first, then):
                return first[0] * then[0], then[0] * first[1] + then[1]

            return self.outer(ops.associative_scan(after, (decay, inputs), axis=1)[1])

    return StateSpace


@program
def state_space(keras):
    """A linear recurrence by `associative_scan` learns the decay of a sum."""
    x = np.random.default_rng(0).normal(size=(300, 32, 1)).astype("float32")
    y = np.zeros_like(x)
    for step in range(32):
        y[:, step] = 0.9 * y[:, step - 1] * (step > 0) + x[:, step]
    model = keras.Sequential([keras.Input((32, 1)), state_space_class(keras)(8)])
    model.compile(keras.optimizers.Adam(0.03), "mse")
    history = model.fit(x, y, epochs=15, batch_size=50, verbose=0)
    assert history.history["loss"][-1] < 0.05 * y.var()


@classes
def contrast_class(keras):
    layers, ops = keras.layers, keras.ops

    def encoder():
        return keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                layers.Flatten(),
                layers.Dense(32, activation="relu"),
                layers.Dense(16),
                layers.UnitNormalization(),
            ]
        )

    class MomentumContrast(keras.Model):
        """A queue of vectors and an encoder that follows: state that calls change."""

        def __init__(self, length=128):
            super().__init__()
            self.encoder = encoder()
            self.follower = encoder()
            self.follower.set_weights(self.encoder.get_weights())
            self.follower.trainable = False
            self.noise = layers.GaussianNoise(0.1)
            options = {"initializer": "random_normal", "trainable": False}
            self.queue = self.add_weight(shape=(length, 16), name="queue", **options)

        def call(self, images, training=False):
            query = self.encoder(self.noise(images, training=training))
            key = self.follower(self.noise(images, training=training))
            same = ops.sum(query * ops.stop_gradient(key), axis=1, keepdims=True)
            others = ops.matmul(query, ops.transpose(self.queue))
            if training:
                queue = ops.concatenate([key, self.queue])[: self.queue.shape[0]]
                self.queue.assign(ops.stop_gradient(queue))
                pairs = zip(self.follower.weights, self.encoder.weights, strict=True)
                for slow, fast in pairs:
                    slow.assign(0.95 * slow + 0.05 * fast)
            return ops.concatenate([same, others], axis=1) / 0.1

    return MomentumContrast


@program
def momentum_contrast(keras):
    """The first of many vectors is the image's own."""
    (x, _), _ = digits()
    model = contrast_class(keras)()
    assert len(model.follower.trainable_weights) == 0
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    before = model.follower.get_weights()
    history = model.fit(x[:1024], np.zeros(1024), epochs=4, batch_size=64, verbose=0)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]
    after, ahead = model.follower.get_weights(), model.encoder.get_weights()
    for old, slow, fast in zip(before, after, ahead, strict=True):
        assert np.abs(slow - fast).mean() < np.abs(old - fast).mean()
    norms = np.linalg.norm(array(keras, model.queue), axis=1)
    np.testing.assert_allclose(norms, 1, rtol=1e-4)


@program
def skip_grams(keras):
    """Vectors of words from their neighbours; they are normalised where they lie."""
    random = np.random.default_rng(0)
    groups = np.repeat(random.integers(0, 2, 300), 8)
    words = 1 + 10 * groups + random.integers(0, 10, len(groups))
    target, context = words[:-1], words[1:]
    pairs = [
        np.tile(target, 2),
        np.append(context, random.integers(1, 21, len(target))),
    ]
    is_neighbour = np.repeat([1.0, 0.0], len(target))
    inputs = [keras.Input((1,), dtype="int32") for _ in range(2)]
    embeddings = [keras.layers.Embedding(21, 8) for _ in range(2)]
    vectors = [layer(x) for layer, x in zip(embeddings, inputs, strict=True)]
    product = keras.layers.Reshape((1,))(keras.layers.Dot(axes=-1)(vectors))
    model = keras.Model(inputs, keras.layers.Activation("sigmoid")(product))
    model.compile("adam", "binary_crossentropy")
    model.optimizer.learning_rate = 0.02
    model.fit(pairs, is_neighbour, batch_size=128, epochs=4, verbose=0)
    vectors = embeddings[0].get_weights()[0][1:]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = vectors @ vectors.T
    assert likeness[:10, :10].mean() > likeness[:10, 10:].mean() + 0.5


@classes
def attention_class(keras):
    ops = keras.ops

    class GraphAttention(keras.layers.Layer):
        """The mean of the neighbours' vectors, weighted by a score of each edge."""

        def __init__(self, units, nodes, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.nodes = nodes

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[0][-1], self.units))
            self.score = self.add_weight(shape=(2 * self.units, 1))

        def call(self, inputs):
            vectors, edges = inputs
            vectors = ops.matmul(vectors, self.kernel)
            ends = ops.reshape(ops.take(vectors, edges, axis=0), (-1, 2 * self.units))
            scores = ops.leaky_relu(ops.squeeze(ops.matmul(ends, self.score), -1))
            weights = ops.exp(ops.clip(scores, -2, 2))
            source, target = edges[:, 0], edges[:, 1]
            total = ops.segment_sum(weights, source, num_segments=self.nodes)
            weights = ops.expand_dims(weights / ops.take(total, source), 1)
            seen = ops.take(vectors, target, axis=0) * weights
            return ops.relu(ops.segment_sum(seen, source, num_segments=self.nodes))

    class Network(keras.Model):
        """The graph is part of the network; what goes in are the nodes' numbers."""

        def __init__(self, features, edges):
            super().__init__()
            self.features = ops.convert_to_tensor(features)
            self.edges = ops.convert_to_tensor(edges)
            self.attention = [GraphAttention(16, len(features)) for _ in range(2)]
            self.logits = keras.layers.Dense(3)

        def call(self, nodes):
            vectors = self.features
            for layer in self.attention:
                vectors = layer([vectors, self.edges])
            return ops.take(self.logits(vectors), nodes, axis=0)

    return Network


@program
def graph_attention(keras):
    """Nodes of a graph by their edges; tensors that a model keeps are constants."""
    features, adjacency, labels = citations()
    edges = np.argwhere(adjacency > 0).astype("int32")
    nodes = np.random.default_rng(0).permutation(len(features))
    model = attention_class(keras)(features, edges)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    model.fit(nodes[:60], labels[nodes[:60]], batch_size=20, epochs=15, verbose=0)
    found = model.evaluate(nodes[60:], labels[nodes[60:]], verbose=0, return_dict=True)
    assert found["accuracy"] > 0.8
