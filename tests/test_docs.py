"""The documentation hangs together: every page is found, every public name is in the API reference.

The full build, which runs every block and makes warnings errors, is `make docs`.
"""

import re
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from urllib.parse import unquote

import pytest

import spintherm

DOCS = Path(__file__).resolve().parent.parent / "docs"
sys.path.insert(0, str(DOCS / "_extensions"))

from absolute_values import escaped  # noqa: E402
from executed_markdown import as_notebook  # noqa: E402

PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if not {"_extensions", "generated"} & set(path.relative_to(DOCS).parts)
)
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
NAMES = [path.relative_to(DOCS).as_posix() for path in PAGES]
CODE = re.compile(
    r"^```(?:\{code-cell\}[^\n]*|python[ \t]*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE
)
FENCED = re.compile(r"^(```|:::).*?^\1", flags=re.DOTALL | re.MULTILINE)
TOCTREE = re.compile(r"^(```|:::)\{toctree\}\n(.*?)^\1", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PUBLIC_ROOMS = (
    *("configuration", "engine", "exact", "experiments", "explorer", "fluctuation"),
    *("fokker_planck", "materials", "plot", "rare", "reference", "report", "statistics"),
    *("switching", "theory", "waveforms"),
)
INNER_ROOMS = {  # what they hold that is public has its name in `spintherm` or in a public room
    *("cli", "demagnetisation", "display", "energies", "equilibrium", "kernels", "magnet"),
    *("progress", "protocol", "quadrature", "schema", "study", "tabulate", "torques"),
    *("trajectories", "units", "validation", "version", "workers"),
}
IN_THE_TEXT = {  # numbers and types, which have no page
    *("spintherm.__version__", "spintherm.configuration.VERSION", "spintherm.waveforms.Times"),
    "spintherm.explorer.application",  # a module has its name too
}


def entries(page: Path) -> list[Path]:
    """Pages in the toctrees of a page."""
    found = []
    for _, body in TOCTREE.findall(TEXTS[page]):
        lines = [line.strip() for line in body.splitlines()]
        found += [
            (page.parent / f"{line}.md").resolve() for line in lines if line and line[0] != ":"
        ]
    return found


def documented() -> set[str]:
    """Names in the tables of the API reference, with their modules."""
    names = set()
    for page in (DOCS / "api").glob("*.md"):
        module = ""
        for line in TEXTS[page].splitlines():
            if line.startswith(".. currentmodule::"):
                module = line.split("::")[1].strip()
            elif re.fullmatch(r"   \w+", line):
                names.add(f"{module}.{line.strip()}")
    return names


def public_names(module) -> list[str]:
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
        and callable(value)
    ]
    return list(getattr(module, "__all__", own))


def code_of(page: Path) -> list[str]:
    blocks = CODE.findall(TEXTS[page])
    return [re.sub(r"\A(:[^\n]*\n)+", "", block) for block in blocks]


def anchors(text: str) -> set[str]:
    """Anchors of the headings of a page, as they are made on the web."""
    heads = re.findall(r"^#+ (.*)$", FENCED.sub("", text), flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", head.lower()).strip() for head in heads)
    return {name.replace(" ", "-") for name in plain}


def test_every_page_is_reached_from_the_first():
    seen, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        assert page in TEXTS, f"a toctree names {page}, which does not exist"
        if page not in seen:
            seen.add(page)
            waiting += entries(page)
    assert seen == set(PAGES)


def test_every_public_name_is_in_the_api_reference():
    listed, missing = documented(), []
    covered = {id(getattr(spintherm, name)) for name in spintherm.__all__}
    for name in spintherm.__all__:
        value = getattr(spintherm, name)
        if getattr(value, "__name__", "").startswith("spintherm."):
            assert name in PUBLIC_ROOMS, f"spintherm.{name}: expected in PUBLIC_ROOMS of this test"
        elif f"spintherm.{name}" not in listed | IN_THE_TEXT:
            missing.append(f"spintherm.{name}")
    for room in PUBLIC_ROOMS:
        module = import_module(f"spintherm.{room}")
        missing += [
            f"spintherm.{room}.{name}"
            for name in public_names(module)
            if id(getattr(module, name)) not in covered
            and f"spintherm.{room}.{name}" not in listed | IN_THE_TEXT
        ]
    assert not missing, f"expected in a table of docs/api: {missing}"


def test_every_room_is_public_or_known_not_to_be():
    """A new package below spintherm must be put into one of the two lists."""
    rooms = {room.name for room in iter_modules(spintherm.__path__) if room.name[0] != "_"}
    assert rooms == INNER_ROOMS | set(PUBLIC_ROOMS)
    assert not INNER_ROOMS & set(PUBLIC_ROOMS)


def test_every_name_in_the_api_reference_exists():
    for name in documented():
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_python_of_a_page_compiles(page):
    for number, block in enumerate(code_of(page)):
        compile(block, f"{page.name} block {number}", "exec")


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_of_a_page_lead_somewhere(page):
    for target in LINK.findall(FENCED.sub("", TEXTS[page])):
        path, _, anchor = unquote(target).partition("#")
        if re.match(r"\w+://", path):
            assert path.startswith("https://"), target
            continue
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(other.read_text(encoding="utf-8")), target


def test_no_page_carries_an_output_that_was_not_made_by_the_build():
    """Notebooks have their outputs from the build alone; speeds come from the record."""
    for page in PAGES:
        assert "{output}" not in TEXTS[page]
        assert not re.search(r"^Out\[\d+\]", TEXTS[page], flags=re.MULTILINE)


def test_plain_python_becomes_cells_and_notebooks_stay_as_they_are():
    page = "# A page\n\n```python\nprint(1)\n```\n\n```sh\nls\n```\n"
    assert as_notebook(page).count("{code-cell}") == 1
    assert as_notebook(page).startswith("---\nfile_format: mystnb")
    assert as_notebook(as_notebook(page)) == as_notebook(page)
    assert as_notebook("# No code\n") == "# No code\n"


def test_bars_are_escaped_but_not_in_code_and_formulas():
    lines = ["|m| of ``a | b``", ".. math:: |P|^2", "", "   |H|", "|n|", "As in::", "", "    x | y"]
    lines = [*lines, "and |k|"]
    assert escaped(lines) == [
        r"\|m\| of ``a | b``",
        ".. math:: |P|^2",
        "",
        "   |H|",
        r"\|n\|",
        "As in::",
        "",
        "    x | y",
        r"and \|k\|",
    ]
