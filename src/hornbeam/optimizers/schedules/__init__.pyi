from hornbeam.optimizers.schedules.cosine_decay import CosineDecay as CosineDecay
from hornbeam.optimizers.schedules.cosine_decay_restarts import (
    CosineDecayRestarts as CosineDecayRestarts,
)
from hornbeam.optimizers.schedules.exponential_decay import (
    ExponentialDecay as ExponentialDecay,
)
from hornbeam.optimizers.schedules.identify import deserialize as deserialize
from hornbeam.optimizers.schedules.identify import serialize as serialize
from hornbeam.optimizers.schedules.inverse_time_decay import (
    InverseTimeDecay as InverseTimeDecay,
)
from hornbeam.optimizers.schedules.piecewise_constant_decay import (
    PiecewiseConstantDecay as PiecewiseConstantDecay,
)
from hornbeam.optimizers.schedules.polynomial_decay import (
    PolynomialDecay as PolynomialDecay,
)
from hornbeam.optimizers.schedules.schedule import (
    LearningRateSchedule as LearningRateSchedule,
)
