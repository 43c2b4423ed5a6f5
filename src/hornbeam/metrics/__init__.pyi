from hornbeam.losses.crossentropy import binary_crossentropy as binary_crossentropy
from hornbeam.losses.crossentropy import (
    categorical_crossentropy as categorical_crossentropy,
)
from hornbeam.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from hornbeam.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from hornbeam.losses.focal import (
    categorical_focal_crossentropy as categorical_focal_crossentropy,
)
from hornbeam.losses.hinge_losses import categorical_hinge as categorical_hinge
from hornbeam.losses.hinge_losses import hinge as hinge
from hornbeam.losses.hinge_losses import squared_hinge as squared_hinge
from hornbeam.losses.regression import huber as huber
from hornbeam.losses.regression import kl_divergence as kl_divergence
from hornbeam.losses.regression import log_cosh as log_cosh
from hornbeam.losses.regression import mean_absolute_error as mean_absolute_error
from hornbeam.losses.regression import (
    mean_absolute_percentage_error as mean_absolute_percentage_error,
)
from hornbeam.losses.regression import mean_squared_error as mean_squared_error
from hornbeam.losses.regression import (
    mean_squared_logarithmic_error as mean_squared_logarithmic_error,
)
from hornbeam.losses.regression import poisson as poisson
from hornbeam.metrics.accuracy import Accuracy as Accuracy
from hornbeam.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from hornbeam.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from hornbeam.metrics.accuracy import (
    SparseCategoricalAccuracy as SparseCategoricalAccuracy,
)
from hornbeam.metrics.accuracy import (
    SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy,
)
from hornbeam.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from hornbeam.metrics.accuracy import binary_accuracy as binary_accuracy
from hornbeam.metrics.accuracy import categorical_accuracy as categorical_accuracy
from hornbeam.metrics.accuracy import (
    sparse_categorical_accuracy as sparse_categorical_accuracy,
)
from hornbeam.metrics.accuracy import (
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
)
from hornbeam.metrics.accuracy import (
    top_k_categorical_accuracy as top_k_categorical_accuracy,
)
from hornbeam.metrics.confusion import FalseNegatives as FalseNegatives
from hornbeam.metrics.confusion import FalsePositives as FalsePositives
from hornbeam.metrics.confusion import Precision as Precision
from hornbeam.metrics.confusion import Recall as Recall
from hornbeam.metrics.confusion import TrueNegatives as TrueNegatives
from hornbeam.metrics.confusion import TruePositives as TruePositives
from hornbeam.metrics.correlation import (
    ConcordanceCorrelation as ConcordanceCorrelation,
)
from hornbeam.metrics.correlation import PearsonCorrelation as PearsonCorrelation
from hornbeam.metrics.correlation import (
    concordance_correlation as concordance_correlation,
)
from hornbeam.metrics.correlation import pearson_correlation as pearson_correlation
from hornbeam.metrics.curves import AUC as AUC
from hornbeam.metrics.curves import PrecisionAtRecall as PrecisionAtRecall
from hornbeam.metrics.curves import RecallAtPrecision as RecallAtPrecision
from hornbeam.metrics.curves import SensitivityAtSpecificity as SensitivityAtSpecificity
from hornbeam.metrics.curves import SpecificityAtSensitivity as SpecificityAtSensitivity
from hornbeam.metrics.f_score import F1Score as F1Score
from hornbeam.metrics.f_score import FBetaScore as FBetaScore
from hornbeam.metrics.hinge_metrics import CategoricalHinge as CategoricalHinge
from hornbeam.metrics.hinge_metrics import Hinge as Hinge
from hornbeam.metrics.hinge_metrics import SquaredHinge as SquaredHinge
from hornbeam.metrics.iou import BinaryIoU as BinaryIoU
from hornbeam.metrics.iou import IoU as IoU
from hornbeam.metrics.iou import MeanIoU as MeanIoU
from hornbeam.metrics.iou import OneHotIoU as OneHotIoU
from hornbeam.metrics.iou import OneHotMeanIoU as OneHotMeanIoU
from hornbeam.metrics.lookup import deserialize as deserialize
from hornbeam.metrics.lookup import get as get
from hornbeam.metrics.lookup import serialize as serialize
from hornbeam.metrics.metric import Metric as Metric
from hornbeam.metrics.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from hornbeam.metrics.probabilistic import (
    CategoricalCrossentropy as CategoricalCrossentropy,
)
from hornbeam.metrics.probabilistic import KLDivergence as KLDivergence
from hornbeam.metrics.probabilistic import Poisson as Poisson
from hornbeam.metrics.probabilistic import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from hornbeam.metrics.r2_score import R2Score as R2Score
from hornbeam.metrics.reduction import Mean as Mean
from hornbeam.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from hornbeam.metrics.reduction import Sum as Sum
from hornbeam.metrics.regression import CosineSimilarity as CosineSimilarity
from hornbeam.metrics.regression import LogCoshError as LogCoshError
from hornbeam.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from hornbeam.metrics.regression import (
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
)
from hornbeam.metrics.regression import MeanSquaredError as MeanSquaredError
from hornbeam.metrics.regression import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from hornbeam.metrics.regression import RootMeanSquaredError as RootMeanSquaredError
