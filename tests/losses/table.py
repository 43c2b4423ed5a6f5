"""One row a loss: its data and its formula in float64 NumPy."""

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np

EPSILON = 1e-7


@dataclasses.dataclass(eq=False)
class Row:
    """A loss class with arguments, its function, and what it should give.

    `data` makes `(y_true, y_pred)` from a generator; `formula` gives one value for
    each sample (a scalar where the loss mixes all rows).
    """

    name: str
    function: str
    data: Callable
    formula: Callable
    arguments: dict = dataclasses.field(default_factory=dict)
    shape: tuple = (None,)
    smooth: bool = True
    note: str = ""

    @property
    def mixes_rows(self):
        """Whether the loss of a row depends on the other rows."""
        return self.shape == () or self.name == "Circle"

    @property
    def id(self):
        """Return the row's name in reports."""
        return "-".join(filter(None, (self.name, self.note)))


def numbers(generator):
    return generator.normal(size=(6, 4)), generator.normal(size=(6, 4))


def positives(generator):
    return generator.uniform(0.2, 3, (6, 4)), generator.uniform(0.2, 3, (6, 4))


def distributions(generator):
    y = generator.dirichlet(np.ones(4), 6), generator.dirichlet(np.ones(4), 6)
    return tuple(0.9 * x + 0.025 for x in y)


def binary(generator):
    y_true = generator.integers(0, 2, (6, 4)).astype(float)
    return y_true, generator.uniform(0.05, 0.95, (6, 4))


def binary_logits(generator):
    return generator.integers(0, 2, (6, 4)).astype(float), generator.normal(size=(6, 4))


def signs(generator):
    return 2.0 * binary_logits(generator)[0] - 1.0, generator.normal(size=(6, 4))


def one_hot(generator):
    _, y_pred = distributions(generator)
    return np.eye(4)[generator.integers(0, 4, 6)], y_pred


def one_hot_logits(generator):
    return np.eye(4)[generator.integers(0, 4, 6)], generator.normal(size=(6, 4))


def classes(generator):
    _, y_pred = distributions(generator)
    return generator.integers(0, 4, 6), y_pred


def sequences(generator):
    y_true = generator.integers(0, 4, (6, 5))
    return y_true, generator.dirichlet(np.ones(4), (6, 5))


def class_logits(generator):
    return generator.integers(0, 4, 6), generator.normal(size=(6, 4))


def embeddings(generator):
    y_pred = generator.normal(size=(6, 4))
    y_pred /= np.linalg.norm(y_pred, axis=1, keepdims=True)
    return np.array([0, 1, 1, 0, 2, 2]), y_pred


def labels_of_sequences(generator):
    y_true = np.array(
        [[1, 2, 0], [2, 2, 1], [1, 0, 0], [3, 1, 0], [3, 3, 0], [2, 1, 3]]
    )
    return y_true, generator.normal(size=(6, 6, 4))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def log_loss(y, p):
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(-1)


def cross(y, p):
    return -(y * np.log(p / p.sum(-1, keepdims=True))).sum(-1)


def picked(y, p):
    return np.take_along_axis(p, y[..., None], -1)[..., 0]


def huber(y, p, delta):
    e = np.abs(y - p)
    return np.where(e <= delta, e**2 / 2, delta * e - delta**2 / 2).mean(-1)


def focal_binary(y, p, gamma, alpha=None):
    p_t = np.where(y == 1, p, 1 - p)
    weight = 1 if alpha is None else np.where(y == 1, alpha, 1 - alpha)
    return (weight * (1 - p_t) ** gamma * -np.log(p_t)).mean(-1)


def focal(y, p, alpha, gamma):
    p = p / p.sum(-1, keepdims=True)
    return -(alpha * (1 - p) ** gamma * y * np.log(p)).sum(-1)


def tversky(y, p, alpha, beta, axis=None):
    both = (y * p).sum(axis)
    missed, false = (y * (1 - p)).sum(axis), ((1 - y) * p).sum(axis)
    return 1 - both / (both + alpha * missed + beta * false)


def cosine(y, p):
    norms = np.linalg.norm(y, axis=-1) * np.linalg.norm(p, axis=-1)
    return -(y * p).sum(-1) / norms


def circle(labels, embeddings, gamma, margin):
    """Sum over pairs, as in equation 6 of the paper, one row at a time."""
    values = []
    for i, anchor in enumerate(embeddings):
        positive = negative = 0.0
        for j, other in enumerate(embeddings):
            s = anchor @ other
            if labels[i] != labels[j]:
                a = max(s + margin, 0)
                negative += np.exp(gamma * a * (s - margin))
            elif i != j:
                a = max(1 + margin - s, 0)
                positive += np.exp(-gamma * a * (s - 1 + margin))
        values.append(np.log1p(positive * negative))
    return np.array(values)


def ctc(labels, logits):
    """Sum over all paths of each sequence, by brute force."""
    probabilities = softmax(logits)
    values = []
    for row, p in zip(labels, probabilities, strict=True):
        wanted = [c for c in row if c != 0]
        total = 0.0
        for path in itertools.product(range(p.shape[1]), repeat=p.shape[0]):
            collapsed = [c for c, _ in itertools.groupby(path) if c != 0]
            if collapsed == wanted:
                total += np.prod([p[t, c] for t, c in enumerate(path)])
        values.append(-np.log(total))
    return np.array(values)


ROWS = [
    Row(
        "MeanSquaredError",
        "mean_squared_error",
        numbers,
        lambda y, p: ((y - p) ** 2).mean(-1),
    ),
    Row(
        "MeanAbsoluteError",
        "mean_absolute_error",
        numbers,
        lambda y, p: np.abs(y - p).mean(-1),
    ),
    Row(
        "MeanAbsolutePercentageError",
        "mean_absolute_percentage_error",
        positives,
        lambda y, p: 100 * (np.abs(y - p) / y).mean(-1),
    ),
    Row(
        "MeanSquaredLogarithmicError",
        "mean_squared_logarithmic_error",
        positives,
        lambda y, p: ((np.log(1 + y) - np.log(1 + p)) ** 2).mean(-1),
    ),
    Row("Huber", "huber", numbers, lambda y, p: huber(y, p, 1)),
    Row(
        "Huber",
        "huber",
        numbers,
        lambda y, p: huber(y, p, 0.4),
        {"delta": 0.4},
        note="delta",
    ),
    Row("LogCosh", "log_cosh", numbers, lambda y, p: np.log(np.cosh(p - y)).mean(-1)),
    Row("CosineSimilarity", "cosine_similarity", numbers, cosine),
    Row(
        "KLDivergence",
        "kl_divergence",
        distributions,
        lambda y, p: (y * np.log(y / p)).sum(-1),
    ),
    Row("Poisson", "poisson", positives, lambda y, p: (p - y * np.log(p)).mean(-1)),
    Row("Hinge", "hinge", signs, lambda y, p: np.maximum(1 - y * p, 0).mean(-1)),
    Row(
        "Hinge",
        "hinge",
        binary_logits,
        lambda y, p: np.maximum(1 - (2 * y - 1) * p, 0).mean(-1),
        note="zeros",
    ),
    Row(
        "SquaredHinge",
        "squared_hinge",
        signs,
        lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean(-1),
    ),
    Row(
        "CategoricalHinge",
        "categorical_hinge",
        one_hot_logits,
        lambda y, p: np.maximum(
            np.where(y == 1, 0, p).max(-1) - (y * p).sum(-1) + 1, 0
        ),
    ),
    Row("BinaryCrossentropy", "binary_crossentropy", binary, log_loss),
    Row(
        "BinaryCrossentropy",
        "binary_crossentropy",
        binary_logits,
        lambda y, p: log_loss(0.8 * y + 0.1, sigmoid(p)),
        {"from_logits": True, "label_smoothing": 0.2},
        note="logits",
    ),
    Row("CategoricalCrossentropy", "categorical_crossentropy", one_hot, cross),
    Row(
        "CategoricalCrossentropy",
        "categorical_crossentropy",
        one_hot_logits,
        lambda y, p: cross(0.8 * y + 0.05, softmax(p)),
        {"from_logits": True, "label_smoothing": 0.2},
        note="logits",
    ),
    Row(
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        classes,
        lambda y, p: -np.log(picked(y, p / p.sum(-1, keepdims=True))),
    ),
    Row(
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        class_logits,
        lambda y, p: -np.log(picked(y, softmax(p))),
        {"from_logits": True},
        note="logits",
    ),
    Row(
        "SparseCategoricalCrossentropy",
        "sparse_categorical_crossentropy",
        sequences,
        lambda y, p: -np.log(picked(y, p / p.sum(-1, keepdims=True))),
        shape=(None, 5),
        note="sequences",
    ),
    Row(
        "CategoricalGeneralizedCrossEntropy",
        "categorical_generalized_cross_entropy",
        classes,
        lambda y, p: (1 - picked(y, p) ** 0.7) / 0.7,
        {"q": 0.7},
    ),
    Row(
        "BinaryFocalCrossentropy",
        "binary_focal_crossentropy",
        binary,
        lambda y, p: focal_binary(y, p, 2),
    ),
    Row(
        "BinaryFocalCrossentropy",
        "binary_focal_crossentropy",
        binary_logits,
        lambda y, p: focal_binary(y, sigmoid(p), 1.5, alpha=0.3),
        {
            "from_logits": True,
            "gamma": 1.5,
            "alpha": 0.3,
            "apply_class_balancing": True,
        },
        note="logits",
    ),
    Row(
        "CategoricalFocalCrossentropy",
        "categorical_focal_crossentropy",
        one_hot,
        lambda y, p: focal(y, p, 0.25, 2),
    ),
    Row(
        "CategoricalFocalCrossentropy",
        "categorical_focal_crossentropy",
        one_hot_logits,
        lambda y, p: focal(0.8 * y + 0.05, softmax(p), 0.5, 1.5),
        {"from_logits": True, "alpha": 0.5, "gamma": 1.5, "label_smoothing": 0.2},
        note="logits",
    ),
    Row("Dice", "dice", binary, lambda y, p: tversky(y, p, 0.5, 0.5), shape=()),
    Row(
        "Dice",
        "dice",
        binary,
        lambda y, p: tversky(y, p, 0.5, 0.5, axis=1),
        {"axis": (1,)},
        note="rows",
    ),
    Row(
        "Tversky",
        "tversky",
        binary,
        lambda y, p: tversky(y, p, 0.3, 0.6),
        {"alpha": 0.3, "beta": 0.6},
        shape=(),
    ),
    Row(
        "Circle",
        "circle",
        embeddings,
        lambda y, p: circle(y, p, 3.0, 0.3),
        {"gamma": 3.0, "margin": 0.3},
        shape=(6,),
    ),
    Row("CTC", "ctc", labels_of_sequences, ctc),
]
