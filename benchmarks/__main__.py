"""`make bench`: every figure and its ratio to a named rival measured in the same run.

python -m benchmarks [--json FILE] [--record] [--figure FILE] [SECTION ...]
"""

import argparse
from importlib import import_module
from pathlib import Path

from benchmarks.figures import recorded, show, write

SECTIONS = {
    "trajectories": "benchmarks.bench_trajectories",
    "real_magnets": "benchmarks.bench_real_magnets",
    "accuracy": "benchmarks.bench_accuracy",
    "latency": "benchmarks.bench_latency",
    "fokker_planck": "benchmarks.bench_fokker_planck",
    "phase_diagram": "benchmarks.bench_phase_diagram",
    "study": "benchmarks.bench_study",
}
RECORDED = Path(__file__).parent / "recorded.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="measure spintherm")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON too")
    parser.add_argument("--record", action="store_true", help=f"write them to {RECORDED.name} too")
    parser.add_argument("--figure", metavar="FILE", help="plot work against precision")
    parser.add_argument("section", nargs="*", help=f"any of {', '.join(SECTIONS)}; all if none")
    arguments = parser.parse_args()
    unknown = set(arguments.section) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}: expected {', '.join(SECTIONS)}")
    results = {}
    before = recorded(RECORDED)
    for name in arguments.section or SECTIONS:
        results[name] = import_module(SECTIONS[name]).figures()
        show(name, results[name], before.get(name))
    if arguments.json:
        write(arguments.json, results)
    if arguments.record:
        write(RECORDED, results)
    if arguments.figure:
        from benchmarks.bench_accuracy import draw

        draw(arguments.figure)


if __name__ == "__main__":
    main()
