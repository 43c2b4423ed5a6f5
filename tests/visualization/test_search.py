"""Pictures and tables of a search: what they show, read back from the Figure."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from hornbeam import constraints
from hornbeam.visualization import plot_search, search_table
from hornbeam.visualization.results import SearchResults, text


def results_of(params, scores, metric="score"):
    """Return `cv_results_` for scores of shape (candidates, folds)."""
    scores = np.asarray(scores, float)
    found = {f"split{i}_test_{metric}": scores[:, i] for i in range(scores.shape[1])}
    found[f"mean_test_{metric}"] = scores.mean(1)
    found[f"std_test_{metric}"] = scores.std(1)
    return {
        "params": params,
        "mean_fit_time": np.arange(len(params)) / 10,
        **found,
    }


def grid(**values):
    """Return the candidates of a grid, the last parameter fastest."""
    names = list(values)
    table = np.meshgrid(*(np.arange(len(v)) for v in values.values()), indexing="ij")
    rows = np.stack([x.ravel() for x in table], 1)
    return [
        {name: values[name][i] for name, i in zip(names, row, strict=True)}
        for row in rows
    ]


def line(axes, label):
    """Return the points of the line with this label."""
    (found,) = (x for x in axes.get_lines() if x.get_label().startswith(label))
    return np.asarray(found.get_xydata())


class Search:
    """A fitted search, as far as it is looked at."""

    def __init__(self, results, **attributes):
        self.cv_results_ = results
        vars(self).update(attributes)


class TestOneParameter:
    def test_numbers_are_sorted(self):
        params = [{"rate": x} for x in (0.5, 0.1, 0.3)]
        scores = [[0.5, 0.7], [0.1, 0.3], [0.8, 1.0]]
        (axes,) = plot_search(results_of(params, scores))
        expected = [[0.1, 0.2], [0.3, 0.9], [0.5, 0.6]]
        np.testing.assert_allclose(line(axes, "mean"), expected)
        np.testing.assert_allclose(line(axes, "best"), [[0.3, 0.9]])
        band = axes.collections[0].get_paths()[0].vertices
        assert band[:, 1].min() == pytest.approx(0.1)
        assert band[:, 1].max() == pytest.approx(1.0)
        assert axes.get_xscale() == "linear"

    @pytest.mark.parametrize(
        ("values", "scale"),
        [
            ([1e-4, 1e-3, 1e-2], "log"),
            ([0, 1e-4, 1e-2], "symlog"),
            ([-1, 1e-4, 1e-2], "linear"),
            ([32, 64, 128], "linear"),
        ],
    )
    def test_scale(self, values, scale):
        params = [{"lr": x} for x in values]
        (axes,) = plot_search(results_of(params, [[1, 1], [2, 2], [3, 3]]))
        assert axes.get_xscale() == scale

    @pytest.mark.parametrize(
        ("values", "labels"),
        [
            (["relu", "tanh"], ["relu", "tanh"]),
            ([None, 0.5], ["None", "0.5"]),
            ([True, False], ["True", "False"]),
            ([(64,), (64, 32)], ["(64,)", "(64, 32)"]),
            ([np.tanh, len], ["tanh", "len"]),
            ([[64, 32], [8]], ["[64, 32]", "[8]"]),
        ],
    )
    def test_categories(self, values, labels):
        params = [{"choice": x} for x in values]
        (axes,) = plot_search(results_of(params, [[0.1, 0.2], [0.3, 0.4]]))
        assert [tick.get_text() for tick in axes.get_xticklabels()] == labels
        np.testing.assert_allclose(line(axes, "best"), [[1, 0.35]])

    def test_failed_fits_are_a_gap_and_counted(self):
        params = [{"rate": x} for x in (0.1, 0.2, 0.3)]
        scores = [[0.5, 0.6], [np.nan, 0.9], [0.6, 0.7]]
        (axes,) = plot_search(results_of(params, scores))
        means = line(axes, "mean")
        np.testing.assert_allclose(means[:, 0], [0.1, 0.2, 0.3])
        np.testing.assert_array_equal(np.isnan(means[:, 1]), [False, True, False])
        np.testing.assert_allclose(line(axes, "failed")[:, 0], [0.2])
        assert "1 of 6 fits failed" in axes.get_title()

    def test_all_failed(self):
        results = results_of([{"rate": 0.1}, {"rate": 0.2}], np.full((2, 2), np.nan))
        (axes,) = plot_search(results)
        assert axes.get_title() == "score\n4 of 4 fits failed"

    def test_best_over_parameters_that_are_not_shown(self):
        params = grid(model__rate=[0.1, 0.2], units=[8, 16])
        results = results_of(params, [[0.5], [0.7], [0.9], [0.6]])
        (axes,) = plot_search(results, "rate")
        np.testing.assert_allclose(line(axes, "mean"), [[0.1, 0.7], [0.2, 0.9]])
        assert "the best over units" in axes.get_title()
        assert axes.get_xlabel() == "rate"


class TestTwoParameters:
    def test_heat_map(self):
        params = grid(units=[16, 8], rate=[0.1, 0.2, 0.3])
        scores = [[0.1], [0.2], [0.3], [0.4], [0.9], [np.nan]]
        (axes,) = plot_search(results_of(params, scores))
        (image,) = axes.get_images()
        expected = np.ma.masked_invalid([[0.4, 0.1], [0.9, 0.2], [np.nan, 0.3]])
        np.testing.assert_allclose(image.get_array(), expected)
        notes = {text.get_position(): text.get_text() for text in axes.texts}
        assert notes[0, 1] == "0.900"
        assert notes[0, 2] == "failed"
        (frame,) = axes.patches
        assert frame.get_xy() == (-0.5, 0.5)
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["8", "16"]

    def test_points_where_there_is_no_grid(self):
        rng = np.random.default_rng(0)
        params = [{"C": 10.0 ** rng.uniform(-4, 2), "k": i} for i in range(12)]
        scores = rng.random((12, 3))
        scores[0] = np.nan
        (axes,) = plot_search(results_of(params, scores))
        assert axes.get_xscale() == "log"
        points = axes.collections[0].get_offsets()
        expected = sorted((p["C"], p["k"]) for p in params[1:])
        np.testing.assert_allclose(sorted(map(tuple, points)), expected)
        best = params[int(np.nanargmax(scores.mean(1)))]
        np.testing.assert_allclose(line(axes, "best"), [[best["C"], best["k"]]])


class TestMore:
    def test_parallel_coordinates(self):
        params = grid(rate=list(np.linspace(0, 0.9, 10)), units=[8, 16], act=["a", "b"])
        scores = np.random.default_rng(0).random((40, 3))
        scores[7, 1] = np.nan
        (axes,) = plot_search(results_of(params, scores))
        (curves, _) = axes.collections
        means = scores.mean(1)
        np.testing.assert_allclose(curves.get_array(), np.sort(means[~np.isnan(means)]))
        best = params[int(np.nanargmax(means))]
        found = line(axes, "best")
        assert found[0, 1] == pytest.approx(best["rate"] / 0.9)
        np.testing.assert_allclose(found[-1], [3, 1])
        labels = [tick.get_text() for tick in axes.get_xticklabels()]
        assert labels == ["rate", "units", "act", "score"]

    def test_ticks_and_legend_of_parallel_coordinates(self):
        rng = np.random.default_rng(0)
        params = [
            {
                "decay": 10 ** rng.uniform(-5, 0),
                "model__dropout_rate": rng.uniform(0, 1),
                "kernel_regularizer_strength": int(rng.integers(1, 2000)),
                "limit": [None, constraints.MaxNorm(3)][i % 2],
            }
            for i in range(40)
        ]
        scores = rng.random((40, 3))
        search = Search(results_of(params, scores), scoring="roc_auc")
        (axes,) = plot_search(search)
        notes = [note.get_text() for note in axes.texts]
        assert notes[:4] == ["0.0001", "0.001", "0.01", "0.1"]
        assert notes[4:8] == ["0.2", "0.4", "0.6", "0.8"]
        assert notes[8:-2] == ["400", "800", "1200", "1600"]
        assert notes[-2:] == ["None", "MaxNorm(3)"]
        heights = [note.xy[1] for note in axes.texts]
        rates = np.array([p["model__dropout_rate"] for p in params])
        expected = (np.array([0.2, 0.4]) - rates.min()) / np.ptp(rates)
        np.testing.assert_allclose(heights[4:6], expected)
        best = int(scores.mean(1).argmax())
        (legend,) = axes.get_legend().get_texts()
        words = " ".join(legend.get_text().split())
        assert words.startswith(f"best roc_auc {scores[best].mean():.4f}: decay ")
        assert f"dropout_rate {rates[best]:.4g}, " in words
        headings = [tick.get_text() for tick in axes.get_xticklabels()]
        assert headings[2] == "kernel_regularizer_\nstrength"

    def test_objects_are_named_by_what_is_not_by_default(self):
        named = {
            "MaxNorm(3)": constraints.MaxNorm(3),
            "MaxNorm": constraints.MaxNorm(),
            "MinMaxNorm(0.5, rate=0.1)": constraints.MinMaxNorm(0.5, rate=0.1),
            "NonNeg": constraints.NonNeg,
        }
        assert [text(value) for value in named.values()] == [
            label if len(label) <= 24 else label[:23] + "…" for label in named
        ]

    def test_two_scores(self, tmp_path):
        params = [{"rate": 0.1}, {"rate": 0.2}]
        results = results_of(params, [[0.5, 0.6], [0.7, 0.8]], "loss")
        results |= results_of(params, [[0.9, 0.8], [0.2, 0.1]], "auc")
        path = tmp_path / "search.png"
        drawn = plot_search(Search(results, refit="auc"), path=path)
        titles = [axes.get_title() for axes in drawn]
        assert titles == ["auc: best 0.8500 ± 0.0500", "loss: best 0.7500 ± 0.0500"]
        assert path.read_bytes().startswith(b"\x89PNG")
        (axes,) = plot_search(results, metrics="loss")
        assert axes.get_ylabel() == "loss"

    def test_the_choice_of_the_search_is_marked(self):
        results = results_of([{"rate": 0.1}, {"rate": 0.2}], [[0.5], [0.6]])
        search = Search(results, best_index_=0, scoring="accuracy")
        (axes,) = plot_search(search)
        np.testing.assert_allclose(line(axes, "best"), [[0.1, 0.5]])
        assert axes.get_ylabel() == "accuracy"

    def test_halving_shows_the_last_measurement(self):
        params = [{"rate": 0.1}, {"rate": 0.2}, {"rate": 0.2}]
        found = SearchResults(results_of(params, [[0.5], [0.9], [0.4]]), "test")
        assert found.params == [{"rate": 0.1}, {"rate": 0.2}]
        np.testing.assert_allclose(found.column("mean_test"), [0.5, 0.4])

    def test_objects_of_equal_config_are_one_value(self):
        params = [
            {"limit": constraints.MaxNorm(x), "n": n} for n in (1, 2) for x in (1, 3)
        ]
        found = SearchResults(results_of(params, [[1], [2], [3], [4]]), "test")
        np.testing.assert_array_equal(found.places("limit"), [0, 1, 0, 1])


@pytest.mark.parametrize("show", [plot_search, search_table])
class TestErrors:
    def test_unfitted(self, show):
        with pytest.raises(ValueError, match=r"fitted search.*Was its `fit` called"):
            show(object())

    def test_unknown_parameter(self, show):
        results = results_of([{"rate": 0.1}], [[0.5]])
        with pytest.raises(ValueError, match="Did you mean 'rate'"):
            show(results, parameters=["rat"])

    def test_unknown_score(self, show):
        results = results_of([{"rate": 0.1}], [[0.5]])
        with pytest.raises(ValueError, match="no score 'loss'"):
            show(results, metrics="loss")

    def test_no_parameters(self, show):
        with pytest.raises(ValueError, match="have no parameters"):
            show(results_of([{}], [[0.5]]))


class TestTable:
    def test_order_ties_and_failures(self):
        params = [{"m__rate": x, "units": 8} for x in (0.1, 0.2, 0.3, 0.4)]
        scores = [[0.5, 0.7], [np.nan, 0.9], [0.8, 0.9], [0.6, 0.6]]
        lines = search_table(results_of(params, scores)).splitlines()
        cells = [entry.replace(" ± ", "±").split() for entry in lines]
        assert cells[0] == ["rank", "rate", "score", "fit", "time"]
        assert cells[2:] == [
            ["1", "0.3", "0.8500±0.0500", "0.200", "s"],
            ["2", "0.1", "0.6000±0.1000", "0.000", "s"],
            ["2", "0.4", "0.6000±0.0000", "0.300", "s"],
            ["-", "0.2", "failed", "0.100", "s"],
        ]

    def test_rows(self):
        params = [{"rate": x} for x in range(30)]
        lines = search_table(results_of(params, np.ones((30, 2))), rows=5).splitlines()
        assert len(lines) == 2 + 5 + 1
        assert lines[-1] == " ... and 25 more"

    def test_rungs_of_halving(self):
        params = [{"rate": x} for x in (1, 2, 3, 2, 3, 3)]
        found = results_of(params, np.arange(12).reshape(6, 2))
        found["iter"] = [0, 0, 0, 1, 1, 2]
        cells = [line.split() for line in search_table(found).splitlines()]
        assert cells[0] == ["rank", "rate", "score", "rung", "fit", "time"]
        assert [(row[1], row[-3]) for row in cells[2:]] == [
            ("3", "3"), ("2", "2"), ("1", "1"),
        ]  # fmt: skip
        found["iter"] = [0] * 6
        assert "rung" not in search_table(found)

    def test_a_candidate_that_was_asked_for_again(self):
        params = [{"rate": x} for x in (1, 2, 1, 1, 2)]
        found = results_of(params, [[9], [5], [3], [4], [np.nan]])
        found["iter"] = [1, 0, 0, 0, 0]
        cells = [line.split() for line in search_table(found).splitlines()]
        assert [row[1:3] for row in cells[2:]] == [
            ["1", "9.0000"], ["2", "5.0000"],
        ]  # fmt: skip
