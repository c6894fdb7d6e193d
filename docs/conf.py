"""How the documentation is built: offline, every block executed, warnings are errors.

`make docs` runs it in an environment of its own (requirements-docs.lock).
"""

import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_extensions"))

import kernel  # noqa: E402

import spintherm  # noqa: E402

project = "spintherm"
author = "The spintherm developers"
copyright = "the spintherm developers"
version = release = spintherm.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "absolute_values",
    "myst_nb",
    "executed_markdown",
    "mathml",
]
exclude_patterns = ["_extensions"]
templates_path = ["_templates"]
nitpicky = False
suppress_warnings = ["ref.python"]  # names in signatures that two modules have, such as Axis

# Pages are Markdown; what is between ```python fences runs, see executed_markdown
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_update_mathjax = False
html_math_renderer = "mathml"
nb_execution_mode = "force"
nb_execution_raise_on_error = False  # a warning, which -W makes an error, and others are seen too
nb_execution_timeout = 600  # of a cell, on a busy machine
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_merge_streams = True
nb_ipywidgets_js = {}  # its default is an address
nb_render_markdown_format = "myst"  # tables and formulas in what cells show
os.environ.update(kernel.settings(Path(tempfile.mkdtemp(prefix="spintherm-docs-"))))
os.environ["SPINTHERM_ROOT"] = str(HERE.parent)  # where pages find benchmarks/recorded.json
FOLDERS = HERE / "_extensions", HERE.parent / "tests"  # `pages`, their tables; operators, densities
os.environ["PYTHONPATH"] = os.pathsep.join(map(str, FOLDERS))

# The API
autosummary_generate = True
autosummary_generate_overwrite = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_validation_checks = set()

# The look: nothing is fetched
html_theme = "pydata_sphinx_theme"
html_title = "spintherm"
html_static_path = ["_static"]
html_css_files = ["spintherm.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": [], "comparison": [], "verification": []}
html_theme_options = {
    "logo": {"text": "spintherm"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
