from hornbeam.dtype_policies import DTypePolicy as DTypePolicy
from hornbeam.dtype_policies import dtype_policy as dtype_policy
from hornbeam.dtype_policies import set_dtype_policy as set_dtype_policy
from hornbeam.optimizers import LossScaleOptimizer as LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
