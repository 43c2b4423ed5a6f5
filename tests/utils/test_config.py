"""Settings by name."""

import copy
import json
import pickle

import pytest

from hornbeam.utils.config import Config


def test_attributes_and_items_are_the_same():
    config = Config(a=1, b=[2])
    config.c = 3
    config["d"] = 4
    config.update({"a": 5}, e=6)
    config.update(Config(f=7))
    del config.e
    del config["f"]
    assert config.pop("d") == 4
    assert config.pop("d", None) is None
    assert config.as_dict() == {"a": 5, "b": [2], "c": 3}
    assert dict(config.items()) == dict(zip(config, config.values(), strict=True))
    assert (config.a, config["b"], config.get("c"), config.get("z", 9)) == (
        5,
        [2],
        3,
        9,
    )
    assert list(config.keys()) == ["a", "b", "c"]
    assert len(config) == 3
    assert "a" in config
    assert json.loads(config.to_json()) == config.as_dict()
    assert repr(Config(x=1)) == "<Config {'x': 1}>"


def test_what_is_not_there():
    config = Config(units=1)
    with pytest.raises(AttributeError, match="'unit'.*Did you mean 'units'"):
        config.unit  # noqa: B018
    with pytest.raises(AttributeError, match="'rate'"):
        del config.rate
    for act in (lambda: config["rate"], lambda: config.pop("rate")):
        with pytest.raises(KeyError, match="rate"):
            act()


CHANGES = [
    lambda c: setattr(c, "a", 2),
    lambda c: c.__setitem__("a", 2),
    lambda c: delattr(c, "a"),
    lambda c: c.__delitem__("a"),
    lambda c: c.pop("a"),
    lambda c: c.update(a=2),
]


@pytest.mark.parametrize("change", CHANGES)
def test_frozen(change):
    config = Config(a=1)
    config.freeze()
    assert config.frozen
    with pytest.raises(ValueError, match="frozen"):
        change(config)
    assert config.a == 1
    config.unfreeze()
    change(config)
    assert config.get("a") != 1


@pytest.mark.parametrize(
    "clone", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_copies(clone):
    config = Config(a=[1])
    config.freeze()
    other = clone(config)
    assert other.frozen
    assert other.as_dict() == {"a": [1]}
