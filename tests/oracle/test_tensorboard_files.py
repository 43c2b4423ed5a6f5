"""What TensorBoard reads of a training with hornbeam, and of one with Keras."""

import numpy as np
import pytest
import tensorboard_of_keras as cases

import hornbeam
from tests.callbacks import boards


@pytest.fixture(scope="module")
def by_keras(tmp_path_factory, keras_on):
    folder = tmp_path_factory.mktemp("boards")
    keras_on("tensorflow").call("tensorboard_of_keras.py", "write", str(folder))
    return folder


@pytest.fixture(scope="module")
def by_hornbeam(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boards")
    with hornbeam.config.backend_scope("torch"):
        cases.write(hornbeam, folder)
    return folder


@pytest.mark.parametrize("run", ["train", "validation"])
@pytest.mark.parametrize("case", cases.CASES)
def test_tags_steps_and_values_are_those_of_keras(by_keras, by_hornbeam, case, run):
    theirs, ours = (boards.read(f / case / run) for f in (by_keras, by_hornbeam))
    assert sorted(theirs) == sorted(ours)
    for tag, values in theirs.items():
        # Keras loses an epoch whose last batch is not one that `update_freq` names.
        steps = set(values) if case == "some_batches" else set(ours[tag])
        assert set(values) == steps <= set(ours[tag]), tag
        for step, value in values.items():
            found = ours[tag][step]
            assert (value.shape, value.dtype) == (found.shape, found.dtype), tag
            if tag.endswith("/image"):  # of the same size; the colours are others
                assert list(value[:2]) == list(found[:2]), tag
            elif tag.endswith("/histogram"):
                np.testing.assert_allclose(found[:, :2], value[:, :2], atol=1e-4)
                moved = np.abs(found[:, 2] - value[:, 2]).sum()
                assert moved <= 0.2 * value[:, 2].sum() or len(set(value[:, 0])) == 1
            elif value.dtype.kind == "f" and "steps_per_second" not in tag:
                np.testing.assert_allclose(found, value, rtol=2e-4, err_msg=tag)


def test_metadata_is_that_of_keras(by_keras, by_hornbeam):
    """It says which page of TensorBoard shows a value."""
    theirs, ours = (
        boards.opened(f / "histograms" / "train") for f in (by_keras, by_hornbeam)
    )
    for tag in theirs.Tags()["tensors"]:
        one, other = (run.SummaryMetadata(tag) for run in (theirs, ours))
        assert one.plugin_data.plugin_name == other.plugin_data.plugin_name, tag
        assert one.data_class == other.data_class, tag
