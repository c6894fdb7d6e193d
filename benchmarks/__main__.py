"""`make bench`: every figure and its ratio to a named rival measured in the same run.

python -m benchmarks [--json FILE] [SECTION ...]
"""

import argparse
from importlib import import_module

from benchmarks.figures import show, write

SECTIONS = {"trajectories": "benchmarks.bench_trajectories"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="measure spintherm")
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON too")
    parser.add_argument("section", nargs="*", help=f"any of {', '.join(SECTIONS)}; all if none")
    arguments = parser.parse_args()
    unknown = set(arguments.section) - set(SECTIONS)
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}: expected {', '.join(SECTIONS)}")
    results = {}
    for name in arguments.section or SECTIONS:
        results[name] = import_module(SECTIONS[name]).figures()
        show(name, results[name])
    if arguments.json:
        write(arguments.json, results)


if __name__ == "__main__":
    main()
