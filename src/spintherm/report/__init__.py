"""The report: verdicts on numbers, as a table in the terminal, a file for machines and a page.

The rule of the folder: it judges and shows, it computes no physics; a file is one noun.
"""

from spintherm.report.content import Grid, Parameter, Picture, Section
from spintherm.report.inline import inlined
from spintherm.report.page import page
from spintherm.report.parameters import parameters_of
from spintherm.report.provenance import Provenance, provenance
from spintherm.report.table import print_verdicts
from spintherm.report.verdict import (
    Verdict,
    agrees,
    as_records,
    at_least,
    at_most,
    summary,
    tally,
)

__all__ = [
    "Grid",
    "Parameter",
    "Picture",
    "Provenance",
    "Section",
    "Verdict",
    "agrees",
    "as_records",
    "at_least",
    "at_most",
    "inlined",
    "page",
    "parameters_of",
    "print_verdicts",
    "provenance",
    "summary",
    "tally",
]
