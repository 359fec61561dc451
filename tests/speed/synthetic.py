"""How fast synthetic trees are written, and how large they are: `nox -s speed -- synthetic`.

Seconds are of CPU time, with what starting costs: glyphs, textures and the lexicon.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import synthetic

COUNTS = {"synth90k": 20_000, "iam": 500, "phoenix14": 50, "phoenix14-t": 50, "seq-mnist": 7_000}


def row(name: str, count: int) -> list[str]:
    """Return name, samples, samples a second, and kilobytes and files a sample."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        synthetic.generate_dataset(name, Path(folder), count)
        seconds = time.process_time() - began
        sizes = [file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()]
    speed, size = count / seconds, sum(sizes) / count / 1000
    return [name, f"{count:,}", f"{speed:,.0f}", f"{size:,.1f}", f"{len(sizes) / count:.1f}"]


def main() -> None:
    """Print the table."""
    table = Table("layout", "samples", "a second", "kB a sample", "files a sample")
    for name, count in COUNTS.items():
        table.add_row(*row(name, count))
    Console().print(table)


if __name__ == "__main__":
    main()
