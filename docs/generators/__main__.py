"""Write the pages of the reference that follow from code: `python docs/generators [--check]`.

With --check nothing is written; the exit code is 1 where a page differs from the code.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bench_toml
import command_line
import component_list
import file_formats

REFERENCE = Path(__file__).parents[1] / "reference"
PAGES = {
    "bench-toml.md": bench_toml.page,
    "command-line.md": command_line.page,
    "component-list.md": component_list.page,
    "file-formats.md": file_formats.page,
}


def main(*, check: bool) -> str | None:
    """Write the pages, or return which ones are not current."""
    texts = {REFERENCE / name: page() for name, page in PAGES.items()}
    old = [
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    if check:
        listed = ", ".join(path.name for path in old)
        return f"{listed}: not current; run `python docs/generators`" if old else None
    for path in old:
        path.write_text(texts[path], encoding="utf-8")
    return None


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
