from hornbeam.dtype_policies.lookup import deserialize as deserialize
from hornbeam.dtype_policies.lookup import get as get
from hornbeam.dtype_policies.lookup import serialize as serialize
from hornbeam.dtype_policies.policy import DTypePolicy as DTypePolicy
from hornbeam.dtype_policies.policy import FloatDTypePolicy as FloatDTypePolicy
from hornbeam.dtype_policies.policy import dtype_policy as dtype_policy
from hornbeam.dtype_policies.policy import set_dtype_policy as set_dtype_policy
from hornbeam.dtype_policies.policy_map import DTypePolicyMap as DTypePolicyMap
from hornbeam.dtype_policies.quantized import AWQDTypePolicy as AWQDTypePolicy
from hornbeam.dtype_policies.quantized import GPTQDTypePolicy as GPTQDTypePolicy
from hornbeam.dtype_policies.quantized import Int4DTypePolicy as Int4DTypePolicy
from hornbeam.dtype_policies.quantized import (
    QuantizedDTypePolicy as QuantizedDTypePolicy,
)
from hornbeam.dtype_policies.quantized import (
    QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy,
)
