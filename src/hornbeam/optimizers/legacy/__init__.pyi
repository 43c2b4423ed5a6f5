from hornbeam.optimizers.legacy.refused import LegacyOptimizer as Adagrad
from hornbeam.optimizers.legacy.refused import LegacyOptimizer as Adam
from hornbeam.optimizers.legacy.refused import LegacyOptimizer as Ftrl
from hornbeam.optimizers.legacy.refused import LegacyOptimizer as Optimizer
from hornbeam.optimizers.legacy.refused import LegacyOptimizer as RMSprop
from hornbeam.optimizers.legacy.refused import LegacyOptimizer as SGD
