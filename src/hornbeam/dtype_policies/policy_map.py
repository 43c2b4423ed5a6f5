"""Dtype policies by layer path."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any, Self

from hornbeam.core import patterns
from hornbeam.dtype_policies.lookup import deserialize, get, serialize
from hornbeam.dtype_policies.policy import DTypePolicy, dtype_policy
from hornbeam.typing import Config, CustomObjects, DTypePolicyLike


class DTypePolicyMap(DTypePolicy, MutableMapping[str, DTypePolicy]):
    """Policies by layer path, for models whose layers differ.

    A key is a path, or a regular expression that must match a whole path. A path that
    no key matches has the default policy.

    Args:
        default_policy: a policy or its name. Default: the global policy at the time of
            use.
        policy_map: a dict of the first entries. Default: none.

    >>> import hornbeam as keras
    >>> policies = keras.dtype_policies.DTypePolicyMap("float32")
    >>> policies["encoder/.*"] = "mixed_bfloat16"
    >>> policies["encoder/dense"].name, policies["decoder/dense"].name
    ('mixed_bfloat16', 'float32')
    """

    def __init__(
        self,
        default_policy: DTypePolicyLike = None,
        policy_map: dict[str, Any] | None = None,
    ):
        if policy_map is not None and not isinstance(policy_map, dict):
            raise TypeError(
                "If specified, `policy_map` must be a dict. Received: "
                f"policy_map={policy_map!r} (of type {type(policy_map).__name__})"
            )
        self._given_default = None if default_policy is None else get(default_policy)
        self._policies: dict[str, DTypePolicy] = {}
        self.update(policy_map or {})

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths that no key matches."""
        return dtype_policy() if self._given_default is None else self._given_default

    @property
    def name(self) -> str:
        """The policy's name."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """The default policy's compute dtype."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The default policy's variable dtype."""
        return self.default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """The default policy's quantization mode."""
        return self.default_policy.quantization_mode

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self._policies:
            return self._policies[path]
        matching = [key for key in self._policies if re.fullmatch(key, path)]
        if len(matching) > 1:
            raise ValueError(
                f"Path '{path}' matches multiple dtype policy keys: {matching}. Make "
                "the keys exclude each other, or add the path itself."
            )
        return self._policies[matching[0]] if matching else self.default_policy

    def __setitem__(self, path: str, policy: DTypePolicyLike) -> None:
        if path in self._policies:
            raise ValueError(
                f"{path} already exist in the DTypePolicyMap with value "
                f"{self._policies[path]!r}. Delete it first. Received: {policy!r}"
            )
        patterns.check(path)
        try:
            self._policies[path] = get(policy)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"Cannot interpret the assigned value. Expected a dtype policy or what "
                f"`keras.dtype_policies.get` takes. Received: {policy!r}"
            ) from error

    def __delitem__(self, path: str) -> None:
        del self._policies[path]

    def __contains__(self, path: object) -> bool:
        return path in self._policies

    def pop(self, path: str, *default: Any) -> Any:
        """Remove the entry of exactly this path and return it."""
        return self._policies.pop(path, *default)

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def get_config(self) -> Config:
        """Return the default policy and the entries.

        Without a default policy of its own the map follows the one in force, and so do
        its entries when they are loaded: their own source is left out.
        """
        entries = {}
        for path, policy in self._policies.items():
            config = serialize(policy)
            if self._given_default is None:
                source = "source_name" if "source_name" in config["config"] else "name"
                config = {**config, "config": {**config["config"], source: None}}
            entries[path] = config
        default = self._given_default
        return {
            "default_policy": None if default is None else serialize(default),
            "policy_map": entries,
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects: CustomObjects = None) -> Self:
        """Make a map from what `get_config` returned."""

        def load(policy):
            if isinstance(policy, dict):
                return deserialize(policy, custom_objects)
            return policy

        return cls(
            default_policy=load(config.get("default_policy")),
            policy_map={
                k: load(v) for k, v in (config.get("policy_map") or {}).items()
            },
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DTypePolicyMap):
            return NotImplemented
        return self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((type(self), self.name, tuple(self._policies.items())))

    def __repr__(self) -> str:
        mapping = [(path, policy.name) for path, policy in self._policies.items()]
        return (
            f"<DTypePolicyMap default_policy={self.default_policy.name}, "
            f"mapping={mapping}>"
        )
