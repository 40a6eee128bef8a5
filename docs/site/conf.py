"""Settings of Sphinx. `make site` builds the documentation from docs/, notebooks/ and CONTRIBUTING.md."""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

import docstrings  # noqa: E402
import operations  # noqa: E402

import engine  # noqa: E402

project, author, copyright = "chalkgrad", "chalkgrad contributors", "chalkgrad contributors"
release = version = engine.__version__

# The folder of the sources is the repository, so that the links of a page are right in both places.
root_doc = "docs/index"
include_patterns = ["docs/**.md", "notebooks/**", "CONTRIBUTING.md"]
exclude_patterns = ["docs/README.md", "**/node_modules", "**/.ipynb_checkpoints"]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
suppress_warnings = ["config.cache", "myst.header"]  # notebooks have H3 below H1; they become H2
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
nb_render_markdown_format = "myst"  # so that formulas in outputs are typeset
nb_execution_mode = "off"  # the stored outputs are those that make notebooks compares

default_role = "py:obj"  # `name` in a docstring is a link to the name
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings describe the arguments
autodoc_preserve_defaults = True
napoleon_use_ivar = True
python_display_short_literal_types = True
toc_object_entries = False

html_theme = "furo"
html_title = "chalkgrad"
html_static_path = ["static"]
html_css_files = ["chalkgrad.css"]
html_js_files = [("chalkgrad.js", {"defer": "defer"})]
html_theme_options = {"navigation_with_keys": False}
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False
html_domain_indices = False
html_extra_path = ["root"]
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"

MATHJAX = ROOT / "docs" / "node_modules" / "mathjax"
MATHJAX_FILES = ["LICENSE", "es5/tex-chtml.js", "es5/output/chtml/fonts/woff-v2"]
mathjax_path = "mathjax/es5/tex-chtml.js"
mathjax_options = {"defer": "defer"}


def copy_mathjax(app, error):
    """Copy the parts of MathJax that the pages use."""
    target = Path(app.outdir, "_static", "mathjax")
    if error:
        return
    for name in MATHJAX_FILES:
        source, copy = MATHJAX / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, dirs_exist_ok=True)
        else:
            shutil.copy(source, copy)


PLAYGROUND = """```{raw} html
<iframe class="playground" src="../playground/index.html" title="The playground: a net with its Δ"></iframe>
<p><a href="../playground/index.html">The playground on a page of its own</a>
· <a href="../code/index.html">your own Python code in the page</a></p>
```"""


def show_playground(app, page, source):
    """Put the playground into the first page, if this copy has its sources."""
    if page == root_doc and (ROOT / "web" / "build.py").exists():
        source[0] = source[0].replace("% the playground", PLAYGROUND)


def give_levels(app, page, template, context, doctree):
    """Give the headings of furo's sidebar the level that a screen reader asks for."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app):
    """Register what this folder adds to Sphinx."""
    app.connect("source-read", operations.fill)
    app.connect("source-read", show_playground)
    app.connect("autodoc-process-docstring", docstrings.to_rst, priority=400)  # before napoleon
    app.connect("html-page-context", give_levels, priority=900)  # after furo
    app.connect("build-finished", copy_mathjax)
