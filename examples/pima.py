"""The classic grid search: dropout rate and weight constraint on the Pima data.

It is written as its users write it, for SciKeras or Keras's own wrapper; two lines are
hornbeam's: the import, and the joblib backend that trains all candidates together.
10 dropout rates x 5 constraints x 3 folds, 100 epochs each, batches of 10.

The data is in Debian's package `r-cran-mlbench` (`apt-get install r-cran-mlbench`;
`pip install rdata` reads it), or give a CSV file of nine columns, the class last:

    python examples/pima.py [FILE.rda or FILE.csv] [--epochs 100]
"""

import argparse
import pathlib
import time
import warnings

import numpy as np

INSTALLED = pathlib.Path("/usr/lib/R/site-library/mlbench/data/PimaIndiansDiabetes.rda")


def read(path):
    """Return the eight measurements of 768 women, and who has diabetes (0 or 1)."""
    if path.suffix == ".rda":
        import rdata

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the file names no encoding
            table = rdata.read_rda(path)["PimaIndiansDiabetes"]
        y = (table.pop("diabetes") == "pos").to_numpy()
        return table.to_numpy("float32"), y.astype("int32")
    lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines if line[:1].isdigit()]
    table = np.array(rows, dtype="float32")
    return table[:, :8], table[:, 8].astype("int32")


def create_model(dropout_rate=0.0, weight_constraint=1.0):
    """A perceptron with twelve hidden units, as one would write it with Keras."""
    from hornbeam.constraints import MaxNorm
    from hornbeam.layers import Dense, Dropout, Input
    from hornbeam.models import Sequential

    model = Sequential()
    model.add(Input((8,)))
    model.add(
        Dense(
            12,
            kernel_initializer="uniform",
            activation="relu",
            kernel_constraint=MaxNorm(weight_constraint),
        )
    )
    model.add(Dropout(dropout_rate))
    model.add(Dense(1, kernel_initializer="uniform", activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def search(X, y, epochs=100):
    """Return the fitted grid search."""
    import joblib
    from sklearn.model_selection import GridSearchCV

    from hornbeam.wrappers import KerasClassifier

    model = KerasClassifier(
        model=create_model, epochs=epochs, batch_size=10, verbose=0, random_state=7
    )
    param_grid = {
        "model__dropout_rate": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        "model__weight_constraint": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
    grid = GridSearchCV(estimator=model, param_grid=param_grid, n_jobs=-1, cv=3)
    with joblib.parallel_config(backend="hornbeam"):
        return grid.fit(X, y)


def main():
    """Search, and print what came out and how long it took."""
    parser = argparse.ArgumentParser(description="Grid search on the Pima data.")
    parser.add_argument("data", nargs="?", type=pathlib.Path, default=INSTALLED)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--picture", help="where plot_search's picture is written")
    options = parser.parse_args()
    if not options.data.exists():
        print(f"Skipped: there is no {options.data}.\n{__doc__}")
        return
    X, y = read(options.data)
    started = time.perf_counter()
    result = search(X, y, options.epochs)
    seconds = time.perf_counter() - started
    print(f"Best: {result.best_score_:f} using {result.best_params_}")
    found = result.cv_results_
    for mean, spread, params in zip(
        found["mean_test_score"], found["std_test_score"], found["params"], strict=True
    ):
        print(f"{mean:f} ({spread:f}) with: {params}")
    print(f"{len(found['params'])} candidates, 3 folds each: {seconds:.1f} s")
    if options.picture:
        from hornbeam.visualization import plot_search

        plot_search(result, path=options.picture)


if __name__ == "__main__":
    main()
