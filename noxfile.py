"""The developer's menu: `uv run nox -l`. Every session runs in the project's own environment."""

from __future__ import annotations

import os
from pathlib import Path

import nox
import tomlkit

# torch and Ray weigh gigabytes: the sessions share uv's environment instead of making five of it.
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]


@nox.session
def tests(session: nox.Session) -> None:
    """Run the default tests; `nox -s tests -- -m slow` runs others."""
    session.run("pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the default tests, and print which lines of each module they do not run."""
    report = ("--cov=bench", "--cov-report=term-missing:skip-covered")
    session.run("pytest", *report, *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, spelling, words, and that packages import downward."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("codespell")
    session.run("python", "tests/words/check.py")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    session.run("mypy")


@nox.session
def quick(session: nox.Session) -> None:
    """Run the embedded suite."""
    session.run("bench", "run", "quick", *session.posargs)


@nox.session
def speed(session: nox.Session) -> None:
    """Print the tables of tests/speed; `nox -s speed -- losses` only that one."""
    for file in session.posargs or sorted(path.stem for path in Path("tests/speed").glob("*.py")):
        session.run("python", f"tests/speed/{file}.py")


@nox.session
def gpu(session: nox.Session) -> None:
    """Run all that needs a GPU and print one table; "not run" where there is none."""
    session.run("python", "tests/gpu/report.py", *session.posargs)


@nox.session
def chaos(session: nox.Session) -> None:
    """Disturb runs in many ways, and check what is left: `nox -s chaos -- --seed 1`."""
    session.run("python", "tests/chaos/campaign.py", *session.posargs)


@nox.session
def board(session: nox.Session) -> None:
    """Print the working board of the embedded suite; check every published board."""
    session.run("bench", "board", "quick")
    session.run("bench", "board", "--check")


@nox.session
def site(session: nox.Session) -> None:
    """Write the published boards as web pages into site/, for any static host."""
    session.run("bench", "board", "--html", "site")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site into site/docs; a broken link or anchor is an error."""
    session.run("mkdocs", "build", env={"NO_MKDOCS_2_WARNING": "1"})
    session.run("python", "docs/site/check_links.py", "site/docs")


@nox.session
def browser(session: nox.Session) -> None:
    """Test the web pages in Chromium; install it, and the dependency group `browser`, before."""
    session.run("pytest", "-n", "0", "-m", "browser", "tests/browser", *session.posargs)


@nox.session
def pin(session: nox.Session) -> None:
    """Bring every dependency up to date and write the versions into pyproject.toml, without URLs.

    Run the tests afterwards: these are the versions that the README's commands install.
    """
    file = Path("pyproject.toml")
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    constraints = document["tool"]["uv"]["constraint-dependencies"]
    constraints.clear()
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    session.run("uv", "lock", "--upgrade", external=True, env=os.environ)
    export = [
        "uv",
        "export",
        "--quiet",
        "--no-hashes",
        "--no-annotate",
        "--no-header",
        "--no-emit-project",
    ]
    listed = session.run(*export, "--all-groups", external=True, silent=True, env=os.environ)
    constraints.extend(str(listed).splitlines())
    constraints.multiline(multiline=True)
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
