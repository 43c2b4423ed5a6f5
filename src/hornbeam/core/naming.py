"""Names that are made up: `dense`, `dense_1`, `dense_2` ..."""

import collections
import re

_counts: collections.Counter[str] = collections.Counter()


def to_snake_case(name):
    """Return `MaxPooling2D` as `max_pooling2d`."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix):
    """Return `prefix` the first time, then `prefix_1`, `prefix_2` ..."""
    prefix = to_snake_case(prefix)
    _counts[prefix] += 1
    number = _counts[prefix] - 1
    return f"{prefix}_{number}" if number else prefix


def get_uid(prefix=""):
    """Return how often this was called for `prefix`, from 1."""
    _counts[f"uid {prefix}"] += 1
    return _counts[f"uid {prefix}"]


def reset():
    """Start all names anew."""
    _counts.clear()
