"""Lays out the source of the site: the pages of docs/, and those that are made from the program.

    python -m docs.site.prepare .site

writes `.site/zensical.toml` and `.site/docs`:

- the files of docs/, without this folder;
- `api/`, from the OpenAPI document that the service sends (`docs.site.api_reference`);
- `decisions/index.md`, a table of the decision files.
"""

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from checker.api.docs_page import rendered_document
from docs.site.api_reference import api_pages

DOCS = Path(__file__).parents[1]
CONFIG = DOCS / "site" / "zensical.toml"
_NOT_PAGES = shutil.ignore_patterns("site", "__pycache__", "*.py")


def prepare(folder: Path) -> None:
    """Write the source of the site into a folder, in place of an older one."""
    source = folder / "docs"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(DOCS, source, ignore=_NOT_PAGES)
    shutil.copy(CONFIG, folder / CONFIG.name)
    for name, text in api_pages(json.loads(rendered_document())).items():
        page = source / "api" / name
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")
    index = decisions_page((DOCS / "decisions").glob("*.md"))
    (source / "decisions" / "index.md").write_text(index, encoding="utf-8")


def decisions_page(files: Iterable[Path]) -> str:
    """Return the page that lists the decision files by number."""
    rows = [f"| {path.name[:4]} | [{_title(path)}]({path.name}) |" for path in sorted(files)]
    return "\n".join(
        [
            "# Decisions",
            "",
            "Each hard choice has a page.",
            "",
            "| | decision |",
            "|---|---|",
            *rows,
        ]
    )


def _title(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.removeprefix("# ").removeprefix(path.name[:4]).lstrip(" :.")


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
