"""Objects to configs and back: the registry, and config from the signature."""

import functools
import importlib
import inspect

from hornbeam.core import tree
from hornbeam.core.errors import did_you_mean

_registered = {}
_registered_names = {}
_KINDS_WITHOUT_NAME = (
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.VAR_KEYWORD,
)


@functools.lru_cache(maxsize=1024)
def init_arguments(cls):
    """Return the names of the arguments of the class's `__init__`.

    Where `__init__` takes `**kwargs`, those of the base classes' count too.
    """
    names = []
    for base in cls.__mro__:
        init = vars(base).get("__init__")
        if init is None:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        names += [
            p.name
            for p in parameters
            if p.kind not in _KINDS_WITHOUT_NAME and p.name not in names
        ]
        if not any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters):
            break
    return tuple(names)


class Configurable:
    """A base whose config is read from the signature of `__init__`.

    Each argument is kept as the attribute of the same name.
    """

    def get_config(self):
        """Return the arguments that make an equal object, as plain data."""
        return {
            name: serialize_argument(getattr(self, name))
            for name in init_arguments(type(self))
            if hasattr(self, name)
        }

    @classmethod
    def from_config(cls, config):
        """Make an object from what `get_config` returned."""
        return cls(**config)


def serialize_argument(value):
    """Return a config value: plain data as it is, objects serialised."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return type(value)(serialize_argument(v) for v in value)
    if isinstance(value, dict):
        return {k: serialize_argument(v) for k, v in value.items()}
    return serialize_keras_object(value)


def getter(family, table, base=None):
    """Return the `get(identifier)` function of a family such as "loss".

    `table()` gives `{name: class or function}` of the family.
    """

    def get(identifier):
        if identifier is None:
            return None
        if isinstance(identifier, dict):
            return deserialize_keras_object(identifier, printable_module_name=family)
        if isinstance(identifier, str):
            known = {**table(), **_registered_of_module()}
            if identifier not in known:
                raise ValueError(
                    f"Unknown {family}: {identifier!r}.{did_you_mean(identifier, known)}"
                )
            identifier = known[identifier]
        if inspect.isclass(identifier):
            return identifier()
        if callable(identifier) or (base is not None and isinstance(identifier, base)):
            return identifier
        raise ValueError(
            f"Could not interpret the {family} {identifier!r}. Expected a name, a "
            "config, a class, an instance or a callable."
        )

    get.__doc__ = f"Return the {family} that `identifier` stands for."
    return get


def _registered_of_module():
    return dict(_registered)


def register_keras_serializable(package="Custom", name=None):
    """Register a class or function, so that saved files can name it."""

    def decorate(target):
        registered_name = f"{package}>{name or target.__name__}"
        if inspect.isclass(target) and not hasattr(target, "get_config"):
            raise ValueError(
                f"Cannot register {target.__name__}: a registered class needs a "
                "`get_config()` method."
            )
        _registered[registered_name] = target
        _registered_names[target] = registered_name
        return target

    return decorate


def serialize_keras_object(obj):
    """Return the config of an object or function."""
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    if inspect.isfunction(obj) or inspect.isbuiltin(obj):
        return obj.__name__
    cls = type(obj)
    return {
        "module": public_module(cls),
        "class_name": cls.__name__,
        "config": obj.get_config(),
        "registered_name": _registered_names.get(cls),
    }


def public_module(cls):
    """Return the module as which configs name the class, such as `keras.layers`."""
    parts = cls.__module__.split(".")
    if parts[0] != "hornbeam":
        return cls.__module__
    return "keras." + parts[1] if len(parts) > 1 else "keras"


def deserialize_keras_object(config, custom_objects=None, safe_mode=True, **kwargs):
    """Make the object that a config describes."""
    if not isinstance(config, dict) or "class_name" not in config:
        return tree.map_structure(lambda x: x, config)
    name = config["class_name"]
    cls = (custom_objects or {}).get(name) or _registered.get(
        config.get("registered_name")
    )
    if cls is None:
        namespace = config["module"].replace("keras", "hornbeam", 1)
        cls = getattr(importlib.import_module(namespace), name)
    return cls.from_config(config["config"])
