"""What `model.diagnose` finds, and what it costs.

    python benchmarks/doctor.py [--engine torch]

The faults and the healthy programs are those of tests/diagnosis. Seconds are of the
processor. A diagnosis is set beside an epoch of `fit` on the same data, each
for a structure that is new, and again when all is compiled.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path


def seconds(run):
    started = time.process_time()
    run()
    return time.process_time() - started


def faults(planted):
    """Print which faults are found, each at its place."""
    import hornbeam

    found, table = 0, planted.FAULTS
    for name in table:
        hornbeam.utils.clear_session()  # the names of layers begin anew
        where, diagnosis = planted.found(name)
        kind = name.partition(":")[0]
        is_found = any(f.kind == kind and where in f.where for f in diagnosis)
        found += is_found
        if not is_found:
            print(f"  missed: {name}; found {diagnosis.kinds}")
    kinds = len({name.partition(":")[0] for name in table})
    print(f"planted faults found: {found} of {len(table)} ({kinds} kinds)")


def healthy(programs):
    """Print false alarms, and the cost beside an epoch."""
    alarms, rows = 0, []
    for program in programs:
        model, data, *options = program()
        options = options[0] if options else {}
        diagnosis = None

        def diagnose(model=model, data=data, options=options):
            nonlocal diagnosis
            diagnosis = model.diagnose(*data, **options)

        def epoch(model=model, data=data, options=options):
            model.fit(*data, verbose=0, **options)

        times = [seconds(run) for run in (diagnose, epoch, diagnose, epoch)]
        rows.append(times)
        if not diagnosis.healthy:
            alarms += 1
            print(f"  false alarm: {program.__name__}: {diagnosis.kinds}")
        shown = "".join(f"{1e3 * t:9.0f}" for t in times)
        print(f"{program.__name__:22}{shown}", flush=True)
    print(f"false alarms: {alarms} of {len(rows)} healthy programs")
    medians = [statistics.median(column) for column in zip(*rows, strict=True)]
    print(f"{'median, ms':22}" + "".join(f"{1e3 * t:9.0f}" for t in medians))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="torch")
    options = parser.parse_args()
    os.environ["HORNBEAM_BACKEND"] = options.engine
    os.environ["HORNBEAM_COMPILATION_CACHE"] = "off"
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.diagnosis import test_healthy_programs, test_planted_faults

    faults(test_planted_faults)
    heads = ("diagnose", "epoch", "again", "epoch")
    print(" " * 22 + "".join(f"{head:>9}" for head in heads))
    healthy(test_healthy_programs.PROGRAMS)


if __name__ == "__main__":
    main()
