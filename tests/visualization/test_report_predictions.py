"""What a report says of labels and predictions that are none."""

import numpy as np

from hornbeam.visualization.report_data import Classes


def test_labels_outside_and_predictions_that_are_not_finite_are_told():
    scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [np.nan, np.nan]])
    page = dict(Classes(np.array([0, 1, 5, 0]), scores, ["a", "b"]).sections())
    assert "50.00% of 4 rows are right" in page["Confusion"]
    assert "1 have a label outside of the classes" in page["Confusion"]
    assert "1 have a prediction that is not finite" in page["Confusion"]
    assert "Wrong examples" not in page
