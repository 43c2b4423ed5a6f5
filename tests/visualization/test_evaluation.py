"""Pictures of predictions against scikit-learn, read back from the axes."""

import sys
import types

import numpy as np
import pytest

from hornbeam import ops, visualization

figures = pytest.importorskip("matplotlib.figure")
metrics = pytest.importorskip("sklearn.metrics")

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.integers(0, 3, 60)
SCORES = RANDOM.dirichlet(np.ones(3), 60) * 0.5 + 0.5 * np.eye(3)[TRUE[::-1]]
BINARY = TRUE % 2
CHANCE = np.clip(BINARY * 0.3 + RANDOM.uniform(0, 0.7, 60), 0, 1)


class TestConfusion:
    @pytest.mark.parametrize("normalize", [False, True])
    def test_the_counts(self, normalize, engine):
        axes = visualization.plot_confusion_matrix(
            ops.convert_to_tensor(TRUE), ops.convert_to_tensor(SCORES), None, normalize
        )
        expected = metrics.confusion_matrix(
            TRUE, SCORES.argmax(1), normalize="true" if normalize else None
        )
        np.testing.assert_allclose(axes.images[0].get_array(), expected)
        accuracy = metrics.accuracy_score(TRUE, SCORES.argmax(1))
        assert axes.get_title() == f"accuracy {accuracy:.4f}"

    def test_forms_of_labels(self):
        expected = metrics.confusion_matrix(BINARY, CHANCE > 0.5)
        for true in (BINARY, np.eye(2)[BINARY], BINARY[:, None].astype(float)):
            axes = visualization.plot_confusion_matrix(true, CHANCE[:, None])
            np.testing.assert_array_equal(axes.images[0].get_array(), expected)

    def test_names(self):
        axes = visualization.plot_confusion_matrix([0, 1], [0, 1], ["a", "b", "c"])
        assert [t.get_text() for t in axes.get_xticklabels()] == ["a", "b", "c"]
        assert len(axes.texts) == 9

    def test_names_of_many_classes_have_room(self):
        axes = visualization.plot_confusion_matrix(range(100), range(100))
        names = [t.get_text() for t in axes.get_xticklabels()]
        assert names == [str(number) for number in range(0, 100, 3)]
        assert axes.images[0].get_array().shape == (100, 100)


class TestCurves:
    @pytest.mark.parametrize("name", ["plot_roc", "plot_precision_recall"])
    def test_what_is_left_out_is_said(self, name):
        scores = RANDOM.dirichlet(np.ones(20), 60)
        axes = getattr(visualization, name)(np.arange(60) % 20, scores)
        assert axes.get_title().endswith(" of the first 12 of 20 classes")

    def test_roc(self):
        axes = visualization.plot_roc(TRUE, SCORES, ["a", "b", "c"])
        for line, name, number in zip(
            axes.get_lines()[1:], "abc", range(3), strict=True
        ):
            area = metrics.roc_auc_score(TRUE == number, SCORES[:, number])
            assert line.get_label() == f"{name}: area {area:.4f}"
            expected = metrics.roc_curve(TRUE == number, SCORES[:, number])[:2]
            np.testing.assert_allclose(line.get_data(), expected)

    def test_two_classes_have_one_curve(self):
        two = np.stack([1 - CHANCE, CHANCE], 1)
        first = visualization.plot_roc(BINARY, two).get_lines()
        other = visualization.plot_roc(BINARY, CHANCE[:, None]).get_lines()
        assert len(first) == len(other) == 2
        assert first[1].get_label() == other[1].get_label()

    def test_precision_recall(self):
        axes = visualization.plot_precision_recall(BINARY, CHANCE)
        (line,) = axes.get_lines()
        average = metrics.average_precision_score(BINARY, CHANCE)
        assert line.get_label() == f"class 1: average precision {average:.4f}"

    def test_calibration(self):
        calibration = pytest.importorskip("sklearn.calibration")
        axes = visualization.plot_calibration(BINARY, CHANCE, bins=5)
        was, said = calibration.calibration_curve(BINARY, CHANCE, n_bins=5)
        np.testing.assert_allclose(axes.get_lines()[1].get_data(), [said, was])
        axes = visualization.plot_calibration(TRUE, SCORES)
        right = SCORES.argmax(1) == TRUE
        was, said = calibration.calibration_curve(right, SCORES.max(1), n_bins=10)
        np.testing.assert_allclose(axes.get_lines()[1].get_data(), [said, was])


def test_predictions():
    true = RANDOM.normal(size=(40, 1))
    predicted = true + RANDOM.normal(size=(40, 1))
    axes = visualization.plot_predictions(true, predicted)
    fit = metrics.r2_score(true, predicted)
    error = metrics.root_mean_squared_error(true, predicted)
    assert axes.get_title() == f"R² {fit:.4f}, root mean square error {error:.4f}"


def test_predictions_of_several_outputs():
    true = RANDOM.normal(size=(40, 3)) * [1, 10, 100]
    predicted = true + RANDOM.normal(size=(40, 3)) * [1, 1, 10]
    axes = visualization.plot_predictions(true, predicted)
    fits = metrics.r2_score(true, predicted, multioutput="raw_values")
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["equal", *(f"output {i}: R² {fits[i]:.4f}" for i in range(3))]
    assert axes.get_title().startswith(f"R² {fits.mean():.4f}, root")


def test_worst_examples():
    images = np.arange(60.0).reshape(60, 1, 1, 1) * np.ones((1, 2, 2, 1))
    axes = visualization.plot_worst_examples(images, TRUE, SCORES, count=5)
    worst = np.argsort(SCORES[np.arange(60), TRUE])[:5]
    shown = [a.images[0].get_array()[0, 0] for a in axes.flat if a.images]
    np.testing.assert_array_equal(shown, worst)
    guess = SCORES[worst[0]].argmax()
    assert axes[0, 0].get_title() == f"{guess}, not {TRUE[worst[0]]}"


def test_axes_and_paths(tmp_path):
    for name in ("confusion_matrix", "calibration", "roc", "precision_recall"):
        draw = getattr(visualization, f"plot_{name}")
        axes = figures.Figure().add_subplot()
        assert draw(BINARY, CHANCE, ax=axes, path=tmp_path / f"{name}.png") is axes
        assert (tmp_path / f"{name}.png").stat().st_size > 0
        with pytest.raises(ValueError, match=f"plot_{name}.*60 targets and 3 predict"):
            draw(BINARY, CHANCE[:3])


class TestEmbedding:
    rows = RANDOM.normal(size=(60, 5)) * [5, 3, 1, 1, 1]

    def places(self, axes):
        return np.concatenate([np.transpose(x.get_data()) for x in axes.get_lines()])

    def test_principal_components(self):
        decomposition = pytest.importorskip("sklearn.decomposition")
        axes = visualization.plot_embedding(self.rows)
        reducer = decomposition.PCA(2)
        expected = reducer.fit_transform(self.rows)
        np.testing.assert_allclose(np.abs(self.places(axes)), np.abs(expected))
        share = f"{reducer.explained_variance_ratio_[1]:.0%}"
        assert axes.get_ylabel() == f"component 2: {share} of the variance"

    def test_labels(self, tmp_path):
        path = tmp_path / "e.png"
        axes = visualization.plot_embedding(
            self.rows, TRUE, class_names=["a", "b", "c"], path=path
        )
        names = [x.get_label() for x in axes.get_lines()]
        counts = [len(x.get_xdata()) for x in axes.get_lines()]
        assert names == ["a", "b", "c"] and path.exists()
        np.testing.assert_array_equal(counts, np.bincount(TRUE))

    def test_labels_on_a_scale(self):
        axes = visualization.plot_embedding(self.rows, CHANCE)
        (points,) = axes.collections
        np.testing.assert_allclose(points.get_array(), CHANCE)
        assert points.colorbar is not None and axes.get_legend() is None

    def test_umap_where_it_is_installed(self, monkeypatch):
        module, given = types.ModuleType("umap"), {}

        class UMAP:
            def __init__(self, **options):
                given.update(options)

            def fit_transform(self, rows):
                return rows[:, :2]

        module.UMAP = UMAP
        monkeypatch.setitem(sys.modules, "umap", module)
        axes = visualization.plot_embedding(self.rows[:9], method="umap", seed=4)
        np.testing.assert_array_equal(self.places(axes), self.rows[:9, :2])
        assert axes.get_title() == "UMAP"
        assert (given["random_state"], given["n_neighbors"]) == (4, 8)

    @pytest.mark.slow
    @pytest.mark.filterwarnings("ignore")  # of numba
    def test_umap_itself(self):
        umap = pytest.importorskip("umap", reason="umap-learn is not installed")
        rows = np.concatenate([self.rows[:30], self.rows[:30] + 100])
        axes = visualization.plot_embedding(rows, method="umap", seed=4)
        reducer = umap.UMAP(n_neighbors=15, random_state=4, n_jobs=1)
        places = self.places(axes)
        np.testing.assert_allclose(places, reducer.fit_transform(rows), rtol=1e-4)
        between = np.linalg.norm(places[:30].mean(0) - places[30:].mean(0))
        assert between > 2 * places[:30].std(0).max()

    def test_neighbours(self):
        manifold = pytest.importorskip("sklearn.manifold")
        axes = visualization.plot_embedding(self.rows[:20], method="tsne")
        reducer = manifold.TSNE(perplexity=19 / 3, random_state=0)
        expected = reducer.fit_transform(self.rows[:20])
        np.testing.assert_allclose(self.places(axes), expected, rtol=1e-3)

    def test_one_feature(self):
        places = self.places(visualization.plot_embedding([[1.0], [3.0]]))
        np.testing.assert_allclose(np.abs(places), [[1, 0], [1, 0]])

    def test_errors(self):
        with pytest.raises(ValueError, match=r"two rows.*\(1, 2\)"):
            visualization.plot_embedding([[1.0, 2.0]])
        with pytest.raises(ValueError, match="each of the 60 rows. Received: 3"):
            visualization.plot_embedding(self.rows, [1, 2, 3])
        with pytest.raises(ValueError, match="method"):
            visualization.plot_embedding(self.rows, method="lda")
