"""Dtype policies by name and as configs."""

from __future__ import annotations

from typing import Any

from hornbeam.core import dtypes, serialization
from hornbeam.dtype_policies.policy import DTypePolicy, dtype_policy
from hornbeam.dtype_policies.quantized import QUANTIZATION_MODES, quantized_policy
from hornbeam.typing import Config, CustomObjects, DTypePolicyLike


def get(identifier: DTypePolicyLike) -> DTypePolicy:
    """Return the policy that `identifier` stands for.

    Args:
        identifier: a policy, a name, a dtype, a config, or None for the one in force.

    >>> import hornbeam as keras
    >>> keras.dtype_policies.get("mixed_float16").compute_dtype
    'float16'
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        if identifier.startswith(QUANTIZATION_MODES) and "_" in identifier:
            if identifier not in dtypes.ALLOWED:
                return quantized_policy(identifier)
        return DTypePolicy(identifier)
    try:
        return DTypePolicy(dtypes.standardize_dtype(identifier))
    except (TypeError, ValueError):
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a dtype, the name of a dtype "
            f"policy, a `DTypePolicy` or its config. Received: {identifier!r}"
        ) from None


def serialize(dtype_policy: DTypePolicy) -> Config:
    """Return the config of a dtype policy."""
    return serialization.serialize_keras_object(dtype_policy)


def deserialize(config: Config, custom_objects: CustomObjects = None) -> Any:
    """Make a dtype policy from the config that `serialize` returned."""
    return serialization.deserialize_keras_object(config, custom_objects=custom_objects)
