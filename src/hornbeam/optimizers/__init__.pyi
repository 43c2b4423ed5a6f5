from hornbeam.optimizers import legacy as legacy
from hornbeam.optimizers import schedules as schedules
from hornbeam.optimizers.adadelta import Adadelta as Adadelta
from hornbeam.optimizers.adafactor import Adafactor as Adafactor
from hornbeam.optimizers.adagrad import Adagrad as Adagrad
from hornbeam.optimizers.adam import Adam as Adam
from hornbeam.optimizers.adamw import AdamW as AdamW
from hornbeam.optimizers.adamax import Adamax as Adamax
from hornbeam.optimizers.ftrl import Ftrl as Ftrl
from hornbeam.optimizers.lamb import Lamb as Lamb
from hornbeam.optimizers.lion import Lion as Lion
from hornbeam.optimizers.loss_scale_optimizer import (
    LossScaleOptimizer as LossScaleOptimizer,
)
from hornbeam.optimizers.multi_optimizer import MultiOptimizer as MultiOptimizer
from hornbeam.optimizers.muon import Muon as Muon
from hornbeam.optimizers.nadam import Nadam as Nadam
from hornbeam.optimizers.optimizer import Optimizer as Optimizer
from hornbeam.optimizers.optimizer_map import OptimizerMap as OptimizerMap
from hornbeam.optimizers.rmsprop import RMSprop as RMSprop
from hornbeam.optimizers.schedule_free_adamw import (
    ScheduleFreeAdamW as ScheduleFreeAdamW,
)
from hornbeam.optimizers.sgd import SGD as SGD
from hornbeam.optimizers.identify import deserialize as deserialize
from hornbeam.optimizers.identify import get as get
from hornbeam.optimizers.identify import serialize as serialize
