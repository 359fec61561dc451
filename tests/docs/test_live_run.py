"""The animation in the README is drawn from the committed recording."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from xml.etree import ElementTree as ET

FIGURES = Path(__file__).parents[2] / "docs" / "figures"


def test_the_animation_is_that_of_the_recording():
    spec = importlib.util.spec_from_file_location("live_run", FIGURES / "live_run.py")
    live_run = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(live_run)
    drawn = live_run.figure((FIGURES / "live-run.cast").read_text(encoding="utf-8"))
    assert (FIGURES / "live-run.svg").read_text(encoding="utf-8") == drawn
    last = "".join(ET.fromstring(drawn).itertext())  # noqa: S314 (from this repository)
    assert "radial-ctc" in last
    assert "results/boards/quick" in last
