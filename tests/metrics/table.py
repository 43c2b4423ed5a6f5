"""One row a metric: its data and its formula in float64 NumPy, with weights.

`formula(y_true, y_pred, w)` gets one weight a sample (ones where there are none), and
is scikit-learn's wherever that has the metric.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import stats
from sklearn import metrics as sklearn

from tests.losses import table as losses


@dataclasses.dataclass(eq=False)
class Row:
    """A metric class with arguments, and what it should give."""

    name: str
    data: Callable
    formula: Callable
    arguments: dict = dataclasses.field(default_factory=dict)
    shape: tuple = ()
    note: str = ""

    @property
    def id(self):
        """Return the row's name in reports."""
        return "-".join(filter(None, (self.name, self.note)))


def mean_of(values_of):
    """Return the weighted mean over samples of the mean of each sample's values."""

    def formula(y, p, w):
        values = np.asarray(values_of(y, p), "float64")
        return np.average(values.reshape(len(y), -1).mean(1), weights=w)

    return formula


def values(generator):
    return generator.normal(size=8), generator.normal(size=8)


def labels(generator):
    return generator.integers(0, 3, 8), generator.integers(0, 3, 8)


def one_hot_8(generator):
    return np.eye(4)[generator.integers(0, 4, 8)], generator.dirichlet(np.ones(4), 8)


def classes_8(generator):
    return generator.integers(0, 4, 8), generator.dirichlet(np.ones(4), 8)


def scores(generator):
    y = generator.integers(0, 2, 40)
    y[:2] = 0, 1
    return y, np.clip(0.3 * y + generator.uniform(0, 0.7, 40), 0, 1)


def coarse_scores(generator):
    """Scores between the thresholds at tenths, so that none falls on one."""
    y, p = scores(generator)
    return y, np.clip(np.round(p, 1) + 0.05, 0, 0.95)


def several_scores(generator):
    y = generator.integers(0, 2, (40, 3))
    y[0], y[1] = 0, 1
    p = np.round(0.3 * y + generator.uniform(0, 0.6, y.shape), 1) + 0.05
    return y, p


def multi_hot(generator):
    y, p = generator.integers(0, 2, (20, 3)), generator.uniform(size=(20, 3))
    y[0] = 1
    return y, p


def outputs(generator):
    y = generator.normal(size=(12, 3)) + 5
    return y, y + 0.3 * generator.normal(size=(12, 3))


def in_top(k):
    def hits(y, p):
        index = y.argmax(-1) if y.ndim == p.ndim else y
        return np.array(
            [i in np.argsort(-row)[:k] for i, row in zip(index, p, strict=True)]
        )

    return hits


def count(positive_label, above):
    def formula(y, p, w):
        return w[(y == positive_label) & ((p > 0.5) == above)].sum()

    return formula


def at_thresholds(formula):
    return lambda y, p, w: [formula(y, p > t, w) for t in (0.3, 0.7)]


def precision(y, decision, w):
    return sklearn.precision_score(y, decision, sample_weight=w, zero_division=0)


def recall(y, decision, w):
    return sklearn.recall_score(y, decision, sample_weight=w, zero_division=0)


def top_k_decision(p, k):
    decision = np.zeros(p.shape, int)
    np.put_along_axis(decision, np.argsort(-p, axis=-1)[:, :k], 1, axis=-1)
    return decision


def best_rate(wanted, at, value):
    def formula(y, p, w):
        best = 0.0
        for t in np.linspace(0, 1, 11):
            d = p > t
            tp, fp = w[(y == 1) & d].sum(), w[(y == 0) & d].sum()
            tn, fn = w[(y == 0) & ~d].sum(), w[(y == 1) & ~d].sum()
            rates = {
                "sensitivity": tp / (tp + fn),
                "specificity": tn / (tn + fp),
                "precision": tp / (tp + fp) if tp + fp else 0.0,
            }
            if rates[at] >= value:
                best = max(best, rates[wanted])
        return best

    return formula


def roc_area(y, p, w):
    return sklearn.roc_auc_score(y, p, sample_weight=w)


def roc_areas(y, p, w):
    return np.mean([roc_area(y[:, i], p[:, i], w) for i in range(y.shape[1])])


def pr_area_majoring(y, p, w):
    """Sum of rectangles between neighbouring thresholds, the higher side of each."""
    points = []
    for t in [-1e-7, *np.linspace(0, 1, 11)[1:-1], 1 + 1e-7]:
        d = p > t
        tp, predicted = w[(y == 1) & d].sum(), w[d].sum()
        points.append((tp / w[y == 1].sum(), tp / predicted if predicted else 0.0))
    return sum(
        (r0 - r1) * max(p0, p1)
        for (r0, p0), (r1, p1) in zip(points, points[1:], strict=False)
    )


def f_beta(beta, average, threshold=None):
    def formula(y, p, w):
        d = top_k_decision(p, 1) if threshold is None else p > threshold
        return sklearn.fbeta_score(
            y, d, beta=beta, average=average, sample_weight=w, zero_division=0
        )

    return formula


def iou(classes, labels_of=lambda y, p: (y, p)):
    def formula(y, p, w):
        y, p = labels_of(y, p)
        return sklearn.jaccard_score(
            y, p, labels=classes, average="macro", sample_weight=w
        )

    return formula


def both_argmax(y, p):
    return y.argmax(-1), p.argmax(-1)


def r2(multioutput):
    return lambda y, p, w: sklearn.r2_score(
        y, p, sample_weight=w, multioutput=multioutput
    )


def adjusted_r2(y, p, w):
    n, k = y.size, 2
    return 1 - (1 - r2("uniform_average")(y, p, w)) * (n - 1) / (n - k - 1)


def pearson(y, p):
    return [stats.pearsonr(a, b).statistic for a, b in zip(y, p, strict=True)]


def concordance(y, p):
    return [
        2
        * np.cov(a, b, bias=True)[0, 1]
        / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
        for a, b in zip(y, p, strict=True)
    ]


# Metrics that are means of a loss take its data and formula.
_MEANS_OF_LOSSES = {
    "MeanSquaredError": "MeanSquaredError",
    "MeanAbsoluteError": "MeanAbsoluteError",
    "MeanAbsolutePercentageError": "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError": "MeanSquaredLogarithmicError",
    "LogCoshError": "LogCosh",
    "KLDivergence": "KLDivergence",
    "Poisson": "Poisson",
    "Hinge": "Hinge",
    "SquaredHinge": "SquaredHinge",
    "CategoricalHinge": "CategoricalHinge",
    "BinaryCrossentropy": "BinaryCrossentropy",
    "CategoricalCrossentropy": "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy": "SparseCategoricalCrossentropy",
}
_LOSS_ROWS = {}
for _row in losses.ROWS:
    _LOSS_ROWS.setdefault(_row.name, []).append(_row)

ROWS = [
    Row(metric, row.data, mean_of(row.formula), row.arguments, note=row.note)
    for metric, loss in _MEANS_OF_LOSSES.items()
    for row in _LOSS_ROWS[loss]
] + [
    Row("Accuracy", labels, lambda y, p, w: np.average(y == p, weights=w)),
    Row(
        "BinaryAccuracy",
        scores,
        lambda y, p, w: np.average((p > 0.4) == y, weights=w),
        {"threshold": 0.4},
    ),
    Row(
        "CategoricalAccuracy",
        one_hot_8,
        lambda y, p, w: np.average(y.argmax(-1) == p.argmax(-1), weights=w),
    ),
    Row(
        "SparseCategoricalAccuracy",
        classes_8,
        lambda y, p, w: np.average(y == p.argmax(-1), weights=w),
    ),
    Row("TopKCategoricalAccuracy", one_hot_8, mean_of(in_top(2)), {"k": 2}),
    Row("SparseTopKCategoricalAccuracy", classes_8, mean_of(in_top(2)), {"k": 2}),
    Row(
        "RootMeanSquaredError",
        losses.numbers,
        lambda y, p, w: np.sqrt(sklearn.mean_squared_error(y, p, sample_weight=w)),
    ),
    Row("CosineSimilarity", losses.numbers, mean_of(lambda y, p: -losses.cosine(y, p))),
    Row("PearsonCorrelation", losses.numbers, mean_of(pearson)),
    Row("ConcordanceCorrelation", losses.numbers, mean_of(concordance)),
    Row("TruePositives", scores, count(1, True)),
    Row("FalsePositives", scores, count(0, True)),
    Row("TrueNegatives", scores, count(0, False)),
    Row("FalseNegatives", scores, count(1, False)),
    Row("Precision", scores, lambda y, p, w: precision(y, p > 0.5, w)),
    Row(
        "Precision",
        scores,
        at_thresholds(precision),
        {"thresholds": [0.3, 0.7]},
        shape=(2,),
        note="thresholds",
    ),
    Row(
        "Precision",
        multi_hot,
        lambda y, p, w: precision(
            y.ravel(), top_k_decision(p, 2).ravel(), np.repeat(w, 3)
        ),
        {"top_k": 2},
        note="top_k",
    ),
    Row("Recall", scores, lambda y, p, w: recall(y, p > 0.5, w)),
    Row(
        "Recall",
        scores,
        at_thresholds(recall),
        {"thresholds": [0.3, 0.7]},
        shape=(2,),
        note="thresholds",
    ),
    Row(
        "Recall",
        multi_hot,
        lambda y, p, w: recall(y[:, 1], p[:, 1] > 0.5, w),
        {"class_id": 1},
        note="class_id",
    ),
    Row("AUC", coarse_scores, roc_area, {"num_thresholds": 11}),
    Row(
        "AUC",
        several_scores,
        roc_areas,
        {"num_thresholds": 11, "multi_label": True},
        note="labels",
    ),
    Row(
        "AUC",
        coarse_scores,
        roc_area,
        {"thresholds": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.92]},
        note="thresholds",
    ),
    Row(
        "AUC",
        coarse_scores,
        pr_area_majoring,
        {"num_thresholds": 11, "curve": "PR", "summation_method": "majoring"},
        note="precision-recall",
    ),
    Row(
        "SensitivityAtSpecificity",
        coarse_scores,
        best_rate("sensitivity", "specificity", 0.7),
        {"specificity": 0.7, "num_thresholds": 11},
    ),
    Row(
        "SpecificityAtSensitivity",
        coarse_scores,
        best_rate("specificity", "sensitivity", 0.7),
        {"sensitivity": 0.7, "num_thresholds": 11},
    ),
    Row(
        "PrecisionAtRecall",
        coarse_scores,
        best_rate("precision", "sensitivity", 0.7),
        {"recall": 0.7, "num_thresholds": 11},
    ),
    Row(
        "RecallAtPrecision",
        coarse_scores,
        best_rate("sensitivity", "precision", 0.7),
        {"precision": 0.7, "num_thresholds": 11},
    ),
    Row("FBetaScore", one_hot_8, f_beta(2.0, None), {"beta": 2.0}, shape=(4,)),
    Row(
        "FBetaScore",
        multi_hot,
        f_beta(0.5, "weighted", 0.4),
        {"beta": 0.5, "average": "weighted", "threshold": 0.4},
        note="weighted",
    ),
    Row("F1Score", one_hot_8, f_beta(1.0, "macro"), {"average": "macro"}),
    Row("F1Score", one_hot_8, f_beta(1.0, "micro"), {"average": "micro"}, note="micro"),
    Row(
        "IoU",
        labels,
        iou([0, 2]),
        {"num_classes": 3, "target_class_ids": [0, 2]},
    ),
    Row(
        "BinaryIoU",
        scores,
        iou([0, 1], lambda y, p: (y, (p >= 0.4).astype(int))),
        {"threshold": 0.4},
    ),
    Row("MeanIoU", labels, iou([0, 1, 2]), {"num_classes": 3}),
    Row(
        "OneHotIoU",
        one_hot_8,
        iou([0, 1], both_argmax),
        {"num_classes": 4, "target_class_ids": [0, 1]},
    ),
    Row(
        "OneHotMeanIoU",
        one_hot_8,
        iou([0, 1, 2, 3], both_argmax),
        {"num_classes": 4},
    ),
    Row("R2Score", outputs, r2("uniform_average")),
    Row("R2Score", outputs, adjusted_r2, {"num_regressors": 2}, note="adjusted"),
    Row(
        "R2Score",
        outputs,
        r2("raw_values"),
        {"class_aggregation": None},
        shape=(3,),
        note="outputs",
    ),
    Row(
        "R2Score",
        outputs,
        r2("variance_weighted"),
        {"class_aggregation": "variance_weighted_average"},
        note="variance",
    ),
]
