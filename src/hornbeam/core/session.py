"""What the process remembers, forgotten."""

import gc


def clear_session(free_memory: bool = True) -> None:
    """Start made-up names anew and drop compiled programs and the global seed.

    Args:
        free_memory: whether unreachable objects are collected at once.
    """
    import sys

    from hornbeam.core import naming

    naming.reset()
    random = sys.modules.get("hornbeam.core.random")
    if random is not None:
        random.reset_global_seed_generator()
    programs = sys.modules.get("hornbeam.training.execution.programs")
    if programs is not None and free_memory:
        programs.cache.clear()
    policies = sys.modules.get("hornbeam.dtype_policies")
    if policies is not None:
        policies.set_dtype_policy("float32")
    if free_memory:
        gc.collect()
