from hornbeam.losses.circle_loss import Circle as Circle
from hornbeam.losses.circle_loss import circle as circle
from hornbeam.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from hornbeam.losses.crossentropy import (
    CategoricalCrossentropy as CategoricalCrossentropy,
)
from hornbeam.losses.crossentropy import (
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
)
from hornbeam.losses.crossentropy import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from hornbeam.losses.crossentropy import binary_crossentropy as binary_crossentropy
from hornbeam.losses.crossentropy import (
    categorical_crossentropy as categorical_crossentropy,
)
from hornbeam.losses.crossentropy import (
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from hornbeam.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from hornbeam.losses.ctc_loss import CTC as CTC
from hornbeam.losses.ctc_loss import ctc as ctc
from hornbeam.losses.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from hornbeam.losses.focal import (
    CategoricalFocalCrossentropy as CategoricalFocalCrossentropy,
)
from hornbeam.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from hornbeam.losses.focal import (
    categorical_focal_crossentropy as categorical_focal_crossentropy,
)
from hornbeam.losses.hinge_losses import CategoricalHinge as CategoricalHinge
from hornbeam.losses.hinge_losses import Hinge as Hinge
from hornbeam.losses.hinge_losses import SquaredHinge as SquaredHinge
from hornbeam.losses.hinge_losses import categorical_hinge as categorical_hinge
from hornbeam.losses.hinge_losses import hinge as hinge
from hornbeam.losses.hinge_losses import squared_hinge as squared_hinge
from hornbeam.losses.lookup import deserialize as deserialize
from hornbeam.losses.lookup import get as get
from hornbeam.losses.lookup import serialize as serialize
from hornbeam.losses.loss import Loss as Loss
from hornbeam.losses.overlap import Dice as Dice
from hornbeam.losses.overlap import Tversky as Tversky
from hornbeam.losses.overlap import dice as dice
from hornbeam.losses.overlap import tversky as tversky
from hornbeam.losses.regression import CosineSimilarity as CosineSimilarity
from hornbeam.losses.regression import Huber as Huber
from hornbeam.losses.regression import KLDivergence as KLDivergence
from hornbeam.losses.regression import LogCosh as LogCosh
from hornbeam.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from hornbeam.losses.regression import (
    MeanAbsolutePercentageError as MeanAbsolutePercentageError,
)
from hornbeam.losses.regression import MeanSquaredError as MeanSquaredError
from hornbeam.losses.regression import (
    MeanSquaredLogarithmicError as MeanSquaredLogarithmicError,
)
from hornbeam.losses.regression import Poisson as Poisson
from hornbeam.losses.regression import cosine_similarity as cosine_similarity
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
