"""The tutorial is followed to the letter, from a wheel in an empty folder."""

import os
import re
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from installed_wheel import build

from .snippets import blocks

PAGES = [f"docs/tutorial/{name}.md" for name in ("first-board", "own-loss", "own-words")]
MACHINE_MINUTES = 15
MARK = "@@@ block "
# The packages of this environment, after those of the new one: torch is not downloaded again. The
# wheel is really installed, and what makes this checkout importable here is not read from there.
SHARE_PACKAGES = (
    f"echo {sysconfig.get_path('purelib')} "
    '> "$(python -c \'import sysconfig; print(sysconfig.get_path("purelib"))\')/shared.pth"'
)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Return the folder of the wheel of this checkout."""
    return build(tmp_path_factory.mktemp("wheels"))[1].parent


def script(pages):
    """Return the commands of the pages as one script that says which block begins."""
    lines = ["set -euo pipefail"]
    for page in pages:
        for block in blocks(page):
            if block.has_commands:
                lines += [f"echo '{MARK}{block.name}'", block.code]
                if "pip install" in block.code:
                    lines.append(SHARE_PACKAGES)
    return "\n".join(lines)


def words(line):
    """Return the words of a line without what differs between machines.

    These are numbers, keys, and the verdict on a difference that follows from the numbers.
    """
    line = re.sub(r"no difference shown|worse|better", "VERDICT", line)
    line = re.sub(r"\b[0-9a-f]{16}\b", "KEY", line)
    return re.sub(r"\d[\d,.]*(?:–\d+)?", "0", line).split()


def shown(line, printed):
    """Return whether a printed line has the words of `line` in order, perhaps among others."""
    for candidate in printed:
        rest = iter(words(candidate))
        if all(word in rest for word in words(line)):
            return True
    return False


def outputs(text):
    """Return what each block printed, by its name."""
    _, *parts = re.split(rf"^{MARK}(.*)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def missing_lines(page, printed):
    """Return the lines that a page shows below a block and that the block did not print."""
    last, missing = "", []
    for block in blocks(page):
        if block.has_commands:
            last = block.name
        elif block.language == "text":
            lines = printed[last].splitlines()
            missing += [
                f"{block.name}: {line}"
                for line in block.code.splitlines()
                if line.strip() != "…" and not shown(line, lines)
            ]
    return missing


@pytest.mark.slow
def test_pages_work_as_they_are_written(wheels, tmp_path):
    environment = {name: os.environ[name] for name in ("LANG", "TERM") if name in os.environ}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "HOME": str(tmp_path),
        # `pip install recognition-bench` gets the wheel of this checkout.
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUNBUFFERED": "1",
    }
    log = tmp_path / "output.txt"
    busy = os.getloadavg()[0] > 0.5 * os.cpu_count()
    begun = time.monotonic()
    with log.open("w") as output:
        ended = subprocess.run(
            ["bash", "-c", script(PAGES)],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    minutes = (time.monotonic() - begun) / 60
    text = log.read_text(encoding="utf-8")
    assert ended.returncode == 0, text[-4000:]
    printed = outputs(text)
    assert [line for page in PAGES for line in missing_lines(page, printed)] == []
    # Where others compute on the machine, the time says nothing about the tutorial.
    assert busy or minutes <= MACHINE_MINUTES, f"the tutorial takes {minutes:.1f} minutes"
