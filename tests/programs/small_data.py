"""Data that is small and that a network learns in seconds."""

import functools

import numpy as np
from sklearn import datasets


@functools.cache
def digits():
    """8 x 8 grey images of digits in [0, 1]: `(x, y), (x_test, y_test)`."""
    x, y = datasets.load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    y = y.astype("int32")
    return (x[:1437], y[:1437]), (x[1437:], y[1437:])


@functools.cache
def iris():
    """150 x 4 measures of three kinds of flowers, in random order."""
    x, y = datasets.load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    return x[order].astype("float32"), y[order].astype("int32")


@functools.cache
def diabetes():
    """442 x 10 measures, far from standardised, and a target of one column."""
    x, y = datasets.load_diabetes(return_X_y=True, scaled=False)
    return x.astype("float32"), (y[:, None] / 100).astype("float32")


@functools.cache
def reviews(rows=512, length=16, words=40):
    """Rows of words' numbers, padded with 0; the label says which of two kinds of words
    is the more frequent: 1 to 5, or 6 to 10."""
    random = np.random.default_rng(0)
    y = random.integers(0, 2, rows)
    x = random.integers(11, words, (rows, length))
    for row, label in enumerate(y):
        size = random.integers(length // 2, length + 1)
        places = random.choice(size, 4, replace=False)
        x[row, places] = random.integers(1, 6, 4) + 5 * (1 - label)
        x[row, places[0]] = random.integers(1, 6) + 5 * label
        x[row, size:] = 0
    return x.astype("int32"), y.astype("float32")


@functools.cache
def windows(rows=400, length=16):
    """Windows of a noisy wave, `(rows, length, 1)`, and the value after each."""
    random = np.random.default_rng(0)
    time = np.arange(rows + length)
    wave = np.sin(time / 4) + 0.5 * np.sin(time / 9) + random.normal(0, 0.03, len(time))
    wave = wave.astype("float32")
    x = np.lib.stride_tricks.sliding_window_view(wave, length)[:rows]
    return x[..., None].copy(), wave[length:, None]


@functools.cache
def ratings(users=30, items=20):
    """Triples user, item, rating in [0, 1] that two factors explain."""
    random = np.random.default_rng(0)
    scores = random.normal(size=(users, 2)) @ random.normal(size=(2, items))
    pairs = np.argwhere(np.ones((users, items)))
    random.shuffle(pairs)
    rating = 1 / (1 + np.exp(-scores[pairs[:, 0], pairs[:, 1]]))
    return pairs.astype("int32"), rating.astype("float32")[:, None]


@functools.cache
def squares(rows=96, size=16):
    """Images with bright squares on noise: `(images, masks, how many)`."""
    random = np.random.default_rng(0)
    masks = np.zeros((rows, size, size, 1), "float32")
    counts = random.integers(1, 4, rows)
    corners = [(1, 1), (1, 9), (9, 1), (9, 9)]
    for row, count in enumerate(counts):
        for place in random.choice(4, count, replace=False):
            top, left = corners[place] + random.integers(0, 3, 2)
            masks[row, top : top + 4, left : left + 4] = 1
    images = 0.7 * masks + random.normal(0, 0.1, masks.shape)
    return images.astype("float32"), masks, counts.astype("float32")[:, None]


@functools.cache
def reversed_words(rows=512, length=4, letters=6):
    """Sequences of letters 3 ..., and the same reversed between start 1 and end 2."""
    random = np.random.default_rng(0)
    x = random.integers(3, 3 + letters, (rows, length)).astype("int32")
    ends = np.ones((rows, 1), "int32")
    return x, np.concatenate([ends, x[:, ::-1], 2 * ends], axis=1)


@functools.cache
def ring_points(rows=256):
    """Points near a circle: what a generator of two numbers has to learn."""
    random = np.random.default_rng(0)
    angle = random.uniform(0, 2 * np.pi, rows)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (points + random.normal(0, 0.05, points.shape)).astype("float32")


@functools.cache
def rare_events(rows=800):
    """Two overlapping clouds; one row of twenty is of class 1."""
    random = np.random.default_rng(0)
    y = (random.random(rows) < 0.05).astype("float32")
    x = random.normal(0, 1, (rows, 6)) + 1.2 * y[:, None]
    return x.astype("float32"), y[:, None]


@functools.cache
def citations(nodes=90):
    """A graph of three communities: features, normalised adjacency, labels."""
    random = np.random.default_rng(0)
    labels = np.arange(nodes) % 3
    chance = np.where(labels[:, None] == labels, 0.2, 0.01)
    edges = np.triu(random.random((nodes, nodes)) < chance, 1)
    adjacency = edges + edges.T + np.eye(nodes)
    scale = 1 / np.sqrt(adjacency.sum(1))
    adjacency = adjacency * scale[:, None] * scale
    features = random.normal(0, 1, (nodes, 8)) + np.eye(3, 8)[labels]
    return features.astype("float32"), adjacency.astype("float32"), labels
