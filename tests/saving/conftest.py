"""The fixture `audit`: what Python does while a file is read."""

import functools
import warnings

import pytest

from tests.saving import attack_table, auditing


@pytest.fixture(scope="session")
def everything_is_imported():
    """Each way in has been used once, so that it has imported what it needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attack_table.warm_up()


@pytest.fixture
def audit(tmp_path_factory, everything_is_imported):
    """Give `audit(*allowed)`: inside, only `allowed` and temporary files are opened.

    The temporary folder is the test's own: other processes write to the common one.
    """
    temporary = tmp_path_factory.mktemp("temporary")
    with auditing.temporary_folder(temporary):
        yield functools.partial(auditing.watching, temporary=temporary)
