from hornbeam.dtype_policies import DTypePolicy as DTypePolicy
from hornbeam.dtype_policies import DTypePolicy as Policy
from hornbeam.dtype_policies import dtype_policy as dtype_policy
from hornbeam.dtype_policies import dtype_policy as global_policy
from hornbeam.dtype_policies import set_dtype_policy as set_dtype_policy
from hornbeam.dtype_policies import set_dtype_policy as set_global_policy
from hornbeam.optimizers import LossScaleOptimizer as LossScaleOptimizer
