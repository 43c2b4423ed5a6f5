"""Grid searches: hornbeam beside SciKeras on Keras-JAX and beside skorch.

    python benchmarks/search.py --peers PEERS/bin/python [--rounds 3] [--only pima]

Each measurement is a process of its own; the rounds go from hornbeam to one peer and
then the other. The table gives the median seconds, and the median over the rounds of
the ratio of hornbeam's seconds to the peer's. README.md beside this file says how to
make the peers' environment.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ("scikeras", "skorch")
# At most this part of SciKeras's seconds.
TARGETS = {
    "pima": {"cold": 1 / 15, "warm": 1 / 80},
    "pima50": {"cold": 1 / 60},
    "fashion": {"cold": 1 / 4},
    "cnn": {"cold": 1 / 4},
}


def measure(python, case, library, data):
    """Return the figures of one case in a fresh process."""
    command = [python, str(HERE / "search_case.py"), case, library]
    environment = {
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "HORNBEAM_COMPILATION_CACHE": "off",  # figures with compilation hold it
        **os.environ,
        "KERAS_BACKEND": "jax",
    }
    done = subprocess.run(
        [*command, data] if data and case.startswith(("pima", "memory")) else command,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{case} with {library} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def save_pima(path, folder):
    """Read the real Pima data as the example does, and save it for all libraries."""
    import numpy as np

    sys.path.insert(0, str(HERE.parent / "examples"))
    import pima

    x, y = pima.read(pathlib.Path(path))
    x = (x - x.mean(0)) / x.std(0)
    saved = str(pathlib.Path(folder) / "pima.npz")
    np.savez(saved, x=x.astype("float32"), y=y)
    return saved


def report(case, rounds):
    """Print the times, the ratios and the mean scores of a case."""
    for figure in ("import", "cold", "warm"):
        ours = [found["hornbeam"][figure] for found in rounds]
        parts = [f"{case:8} {figure:7} {statistics.median(ours):9.3f} s"]
        for peer in [name for name in PEERS if name in rounds[0]]:
            theirs = [found[peer][figure] for found in rounds]
            ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
            parts.append(f"{peer} {statistics.median(theirs):9.2f} s (1/{ratio:.1f})")
        target = TARGETS[case].get(figure)
        parts.append(f"target 1/{1 / target:.0f} of scikeras" if target else "")
        print("   ".join(parts), flush=True)
    for library, found in rounds[-1].items():
        scores = " ".join(f"{score:.3f}" for score in found["scores"][:5])
        spread = f"(standard deviation over the folds {found['spread']:.3f})"
        print(f"{case:8} scores  {library:9} {scores} {spread}", flush=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="the Python that has SciKeras and skorch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="a case, or 'memory'")
    parser.add_argument("--pima", help="the Pima data, as examples/pima.py reads it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = save_pima(options.pima, folder) if options.pima else None
        for case in TARGETS:
            if options.only not in ("", case):
                continue
            rounds = []
            for _ in range(options.rounds):
                found = {"hornbeam": measure(sys.executable, case, "hornbeam", data)}
                for peer in PEERS if options.peers else ():
                    found[peer] = measure(options.peers, case, peer, data)
                rounds.append(found)
            report(case, rounds)
        if options.only in ("", "memory"):
            found = measure(sys.executable, "memory", "hornbeam", data)
            print(f"memory   peak of 150 fits {found['peak_MiB']:.0f} MiB, target 1536")
            print(
                f"memory   growth over 10 searches {found['growth_MiB']:.1f} MiB, "
                "target 20"
            )


if __name__ == "__main__":
    main()
