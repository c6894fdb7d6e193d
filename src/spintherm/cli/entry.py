"""`main`: from words to an exit code, and never a traceback for a slip of the user."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from spintherm.cli.failure import Failed, UsageError

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the program's name; those of the process without it.

    Returns
    -------
    int
        Exit code: 0 done, 1 failed, 2 usage, 130 interrupted; of `run` also 74 disk full, 75
        stopped early.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _write_any_letter()
    try:
        return _run(words)
    except UsageError as error:
        return _complain(error, USAGE)
    except Failed as error:
        return _complain(error, error.code)
    except MemoryError:
        return _complain("not enough memory: fewer trajectories or saved times", FAILED)
    except KeyboardInterrupt:
        print("\nspintherm: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader has gone, as in `spintherm theory ... | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(words: list[str]) -> int:
    from cyclopts import CycloptsError

    from spintherm.cli import (
        density_commands,
        explore_command,
        studies,
        study_commands,
        switching,
    )

    # one and the same, with all commands
    rooms = (density_commands, switching, studies, study_commands, explore_command)
    registered = [room.app for room in rooms]
    app = registered[0]
    try:
        command, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise UsageError(f"{str(error).rstrip('. ')}; try `spintherm --help`") from error
    code = command(*bound.args, **bound.kwargs)
    sys.stdout.flush()
    return code if isinstance(code, int) else DONE


def _complain(problem: object, code: int) -> int:
    print(f"spintherm: error: {' '.join(str(problem).split())}", file=sys.stderr)
    return code


def _write_any_letter() -> None:
    """Replace letters that the terminal cannot show, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
