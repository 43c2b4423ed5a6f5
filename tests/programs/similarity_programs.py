"""Networks that compare: siamese, triplets, similarity of a batch, recommendation."""

import numpy as np
from catalogue import classes, program
from checks import array, assert_keys, assert_saved_alike
from small_data import digits, ratings


def three_digits(count=300):
    (x, y), _ = digits()
    few = y < 3
    return x[few][:count], y[few][:count]


def embedder(keras, width=8):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),
            layers.Dense(width),
        ],
        name="embedder",
    )


@program
def siamese_contrastive(keras):
    """One network for both images, their distance, a loss that is a function."""
    x, y = three_digits()
    random = np.random.default_rng(0)
    pairs = random.integers(0, len(x), (600, 2))
    other = (y[pairs[:, 0]] != y[pairs[:, 1]]).astype("float32")[:, None]
    first, second = x[pairs[:, 0]], x[pairs[:, 1]]
    layers, ops = keras.layers, keras.ops

    def distance(vectors):
        difference = ops.square(vectors[0] - vectors[1])
        total = ops.sum(difference, axis=1, keepdims=True)
        return ops.sqrt(ops.maximum(total, keras.config.epsilon()))

    def accuracy(y_true, y_pred):
        far = ops.cast(y_pred > 0.5, "float32")
        return ops.mean(ops.cast(ops.equal(y_true, far), "float32"))

    def contrastive_loss(margin=1):
        def loss(y_true, y_pred):
            near = ops.square(y_pred)
            far = ops.square(ops.maximum(margin - y_pred, 0))
            return ops.mean((1 - y_true) * near + y_true * far)

        return loss

    network = embedder(keras)
    inputs = [layers.Input((8, 8, 1)), layers.Input((8, 8, 1))]
    towers = [network(x) for x in inputs]
    merged = layers.Lambda(distance, output_shape=(1,))(towers)
    model = keras.Model(inputs=inputs, outputs=merged)
    assert len(model.trainable_weights) == 4
    model.compile(
        loss=contrastive_loss(), optimizer=keras.optimizers.RMSprop(0.003),
        metrics=[accuracy],
    )  # fmt: skip
    history = model.fit(
        [first[:500], second[:500]], other[:500], batch_size=20, epochs=10, verbose=0,
        validation_data=([first[500:], second[500:]], other[500:]),
    )  # fmt: skip
    assert_keys(history, "accuracy", "loss", "val_accuracy", "val_loss")
    assert history.history["val_accuracy"][-1] > 0.9, history.history


@classes
def triplet_classes(keras):
    layers, ops = keras.layers, keras.ops

    class Distances(layers.Layer):
        """The squared distances of an anchor to its like and to another."""

        def call(self, anchor, positive, negative):
            near = ops.sum(ops.square(anchor - positive), -1)
            return near, ops.sum(ops.square(anchor - negative), -1)

    class TripletModel(keras.Model):
        """A model around a network; its loss needs no targets."""

        def __init__(self, network, margin=0.5):
            super().__init__()
            self.network = network
            self.margin = margin

        def call(self, inputs):
            return self.network(inputs)

        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            near, far = y_pred
            return ops.mean(ops.maximum(near - far + self.margin, 0.0))

    return Distances, TripletModel


@program
def siamese_triplets(keras):
    """Three towers; a subclass gives `compute_loss`, so one program for all engines."""
    x, y = three_digits()
    random = np.random.default_rng(0)
    by_class = [np.flatnonzero(y == k) for k in range(3)]
    labels = random.integers(0, 3, 400)
    others = (labels + random.integers(1, 3, 400)) % 3
    triplets = [
        x[[random.choice(by_class[k]) for k in kinds]]
        for kinds in (labels, labels, others)
    ]
    Distances, TripletModel = triplet_classes(keras)
    network = embedder(keras)
    inputs = [keras.Input((8, 8, 1), name=n) for n in ("anchor", "same", "other")]
    distances = Distances()(*(network(x) for x in inputs))
    model = TripletModel(keras.Model(inputs, distances))
    model.compile(optimizer=keras.optimizers.Adam(0.003))
    history = model.fit(triplets, batch_size=40, epochs=4, verbose=0)
    assert_keys(history, "loss")
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    near, far = model.predict(triplets, verbose=0)
    assert np.mean(near < far) > 0.95


@program
def similarity_of_a_batch(keras):
    """Anchors against all positives of the batch: a matrix of logits and its
    diagonal."""
    x, y = three_digits()
    random = np.random.default_rng(0)
    by_class = [np.flatnonzero(y == k) for k in range(3)]
    pairs = np.stack(
        [[x[random.choice(rows, 2, False)] for rows in by_class] for _ in range(60)]
    )  # step, class, 2, image
    ops = keras.ops
    inputs = keras.Input((2, 8, 8, 1), batch_size=3)
    network = embedder(keras)
    anchors = keras.layers.UnitNormalization()(network(inputs[:, 0]))
    positives = keras.layers.UnitNormalization()(network(inputs[:, 1]))
    similarity = ops.einsum("ae,pe->ap", anchors, positives) / 0.2
    model = keras.Model(inputs, similarity)
    model.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["sparse_categorical_accuracy"],
    )
    labels = np.tile(np.arange(3), 60)
    history = model.fit(
        pairs.reshape(-1, 2, 8, 8, 1), labels, batch_size=3, epochs=3, shuffle=False,
        verbose=0,
    )  # fmt: skip
    assert history.history["sparse_categorical_accuracy"][-1] > 0.9, history.history


@classes
def recommender_class(keras):
    layers, ops = keras.layers, keras.ops

    class Recommender(keras.Model):
        """Vectors of users and of items, their product, and a bias for each."""

        def __init__(self, users, items, width, **kwargs):
            super().__init__(**kwargs)
            options = {
                "embeddings_initializer": "he_normal",
                "embeddings_regularizer": keras.regularizers.l2(1e-6),
            }
            self.user_embedding = layers.Embedding(users, width, **options)
            self.user_bias = layers.Embedding(users, 1)
            self.item_embedding = layers.Embedding(items, width, **options)
            self.item_bias = layers.Embedding(items, 1)

        def call(self, inputs):
            user, item = inputs[:, 0], inputs[:, 1]
            dot = ops.sum(
                self.user_embedding(user) * self.item_embedding(item),
                axis=1,
                keepdims=True,
            )
            return ops.nn.sigmoid(dot + self.user_bias(user) + self.item_bias(item))

    return Recommender


@program
def recommendation(keras):
    """Collaborative filtering with a subclassed model; weights to a file and back."""
    pairs, rating = ratings()
    model = recommender_class(keras)(30, 20, 4)
    model.compile(
        loss=keras.losses.BinaryCrossentropy(),
        optimizer=keras.optimizers.Adam(0.03),
        metrics=["mae"],
    )
    history = model.fit(
        x=pairs[:500], y=rating[:500], batch_size=50, epochs=25, verbose=0,
        validation_data=(pairs[500:], rating[500:]),
    )  # fmt: skip
    assert_keys(history, "loss", "mae", "val_loss", "val_mae")
    spread = np.abs(rating[500:] - rating.mean()).mean()
    assert history.history["val_mae"][-1] < 0.7 * spread
    user = np.stack([np.full(20, 3), np.arange(20)], axis=1)
    scores = model.predict(user, verbose=0).flatten()
    best = scores.argsort()[-5:][::-1]
    assert scores.shape == (20,) and scores[best[0]] == scores.max()


@program(slow=("tensorflow",))
def two_towers(keras):
    """Functional embeddings, `Dot`, and the names of the inputs as keys."""
    pairs, rating = ratings()
    layers = keras.layers
    user = keras.Input(shape=(1,), name="user", dtype="int32")
    item = keras.Input(shape=(1,), name="item", dtype="int32")
    vectors = [
        layers.Flatten()(layers.Embedding(rows, 6, name=f"{x.name}_vectors")(x))
        for x, rows in ((user, 30), (item, 20))
    ]
    vectors = [layers.Dense(6)(x) for x in vectors]
    dot = layers.Dot(axes=1, normalize=True)(vectors)
    outputs = layers.Dense(1, activation="sigmoid")(dot)
    model = keras.Model([user, item], outputs)
    model.compile(keras.optimizers.Adam(0.02), "mse")
    data = {"user": pairs[:, :1], "item": pairs[:, 1:]}
    history = model.fit(data, rating, batch_size=50, epochs=15, verbose=0)
    assert history.history["loss"][-1] < 0.5 * rating.var()
    users = model.get_layer("user_vectors").get_weights()[0]
    assert users.shape == (30, 6)
    cosine = keras.Model([user, item], dot).predict(data, verbose=0)
    assert np.abs(cosine).max() <= 1 + 1e-5
    assert_saved_alike(keras, model, data)
    assert array(keras, model([pairs[:2, :1], pairs[:2, 1:]])).shape == (2, 1)
