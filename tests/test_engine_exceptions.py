"""The list of what engines cannot do is true: nothing on it works, all else does."""

import pytest

from tests.engine_exceptions import ALL, LIMITS, REFUSED


@pytest.mark.parametrize("limit", LIMITS, ids=[limit.what for limit in LIMITS])
def test_an_entry_fails_as_stated_and_only_where_it_is_listed(limit, engine):
    assert limit.reason
    if engine.name not in limit.engines:
        limit.attempt()
        return
    with pytest.raises(Exception, match=limit.engines[engine.name]):
        limit.attempt()


def test_entries_name_engines():
    for limit in LIMITS:
        assert limit.engines and set(limit.engines) <= set(ALL)
    for engines in REFUSED.values():
        assert engines and set(engines) <= set(ALL)
