"""Models of all kinds, small, for the tests of their pictures."""

import hornbeam as keras
from hornbeam import layers


def chain():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name="dense"),
        ],
        name="chain",
    )


def residual(blocks=3):
    x = inputs = keras.Input((8, 8, 3))
    for block in range(blocks):
        y = layers.Conv2D(4 + block, 1)(x)
        y = layers.BatchNormalization()(y)
        y = layers.ReLU()(y)
        y = layers.Conv2D(4 + block, 1)(y)
        x = layers.Conv2D(4 + block, 1, name=f"project_{block}")(x)
        x = layers.Add()([x, y])
    return keras.Model(inputs, layers.Dense(2)(x), name="residual")


def several():
    title, body = keras.Input((4,), name="title"), keras.Input((6,), name="body")
    tags = keras.Input((2,), name="tags")
    words = layers.Embedding(10, 3, name="words")
    pool = layers.GlobalAveragePooling1D(name="pool")
    x = layers.Concatenate()([pool(words(title)), pool(words(body)), tags])
    ends = [layers.Dense(1, name="priority")(x), layers.Dense(4, name="team")(x)]
    return keras.Model([title, body, tags], ends, name="several")


def shared():
    inner = [keras.Input((4,)), layers.Dense(3), layers.Dense(2)]
    encoder = keras.Sequential(inner, name="encoder")
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    difference = keras.ops.square(encoder(a) - encoder(b))
    return keras.Model([a, b], keras.ops.sum(difference, -1), name="shared")


def nested():
    i, j = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    x, y = layers.Dense(4, name="left_dense")(i), layers.Dense(4, name="right_dense")(j)
    two = keras.Model([i, j], [layers.Add(name="sum")([x, y]), x], name="two_and_two")
    inner = [keras.Input((4,)), layers.Dense(4), layers.Dropout(0.1)]
    deep = keras.Sequential(inner, name="deep")
    k = keras.Input((4,), name="middle_input")
    middle = keras.Model(
        k, layers.Dense(4, name="middle_dense")(deep(k)), name="middle"
    )
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    p, q = two([middle(a), b])
    z = layers.Concatenate(name="join")([p, q, b])
    return keras.Model([a, b], [layers.Dense(1, name="out")(z), q], name="nested")


def cycles():
    again, other = layers.Dense(4, name="again"), layers.Dense(4, name="other")
    inputs = keras.Input((4,), name="start")
    x = again(other(again(again(inputs))))
    return keras.Model(inputs, layers.Add(name="sum")([x, inputs]), name="cycles")


def bus(count=5):
    tensors = [keras.Input((2,), name="first")]
    for number in range(count):
        x = layers.Concatenate()(tensors) if number else tensors[0]
        tensors.append(layers.Dense(2, name=f"dense_{number}")(x))
    return keras.Model(tensors[0], layers.Concatenate()(tensors), name="bus")


def nested_twice():
    """A nested model that is called on its own output."""
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inner")
    inputs = keras.Input((3,))
    return keras.Model(inputs, inner(inner(inputs)), name="nested_twice")


def past():
    """A nested model with an input that is an output, and one that nothing takes."""
    i, j = keras.Input((3,), name="through"), keras.Input((2,), name="ignored")
    inner = keras.Model([i, j], [i, layers.Dense(2)(i)], name="inner")
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    return keras.Model([a, b], layers.Concatenate()(inner([a, b])), name="past")


def deep(depth=6):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3)], name="inmost")
    for level in range(depth):
        inputs = keras.Input((3,), name=f"input_{level}")
        outputs = layers.Dense(3, name=f"dense_{level}")(model(inputs))
        model = keras.Model(inputs, outputs, name=f"level_{level}")
    return model


def not_called():
    parts = [layers.Dense(3, name="a"), layers.Dropout(0.2), layers.Dense(1, name="b")]
    return keras.Sequential(parts, name="not_called")


class Own(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(3)

    def call(self, x):
        return self.dense(x)


def own():
    model = Own(name="mine")
    model(keras.ops.ones((2, 3)))
    return model


ALL = [
    chain,
    residual,
    several,
    shared,
    nested,
    cycles,
    bus,
    not_called,
    own,
    nested_twice,
    past,
    deep,
]
