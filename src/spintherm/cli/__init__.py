"""The command line: `spintherm reproduce`, `spintherm simulate`, `spintherm theory`.

Exit codes: 0 done, 1 failed (a verdict, the disk, the memory), 2 usage (flags, files, values), 130
interrupted. Results go to standard output, all else to standard error. The rule of the folder:
words in, words out; what takes time to import is imported when a command runs.
"""

from spintherm.cli.entry import main

__all__ = ["main"]
