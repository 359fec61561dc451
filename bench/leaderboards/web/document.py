"""HTML documents that are complete in one file and make no request to any other host."""

from __future__ import annotations

import base64
import json
from functools import cache
from hashlib import sha256
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from bench.core.printable import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

_UNSAFE = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}
"""What could end a script element, or a line within a string of older JavaScript."""


def document(
    title: str,
    body: str,
    scripts: Sequence[str],
    styles: Sequence[str],
    data: object = None,
    requests: str = "img-src data:",
) -> bytes:
    """Return an HTML page.

    Args:
        title: The title; any text.
        body: The content of the body, as HTML.
        scripts: The names of files of JavaScript in `assets/`, in the order in which they run.
        styles: The names of files of CSS in `assets/`, likewise.
        data: What the scripts read from the element `#data`, as JSON; None: there is no such
            element.
        requests: Directives of the content security policy, which forbids every request that they
            do not allow.
    """
    script = "".join(map(asset, scripts))
    held = f'<script type="application/json" id="data">{inline_json(data)}</script>\n'
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; "
        f"{requests}"
    )
    policy = with_script_hash(policy, script)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{text(title)}</title>\n"
        f"<style>\n{''.join(map(asset, styles))}</style>\n</head>\n<body>\n{body}\n"
        f"{held if data is not None else ''}<script>{script}</script>\n</body>\n</html>\n"
    ).encode()


def with_script_hash(policy: str, script: str) -> str:
    """Return a content security policy that allows one inline script, beside the page's own."""
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    sources = "script-src"
    if sources not in policy:
        return f"{policy}; script-src 'sha256-{digest}'"
    return policy.replace(sources, f"{sources} 'sha256-{digest}'")


def inline_json(data: object) -> str:
    """Return JSON in one line that no parser of HTML or JavaScript takes for anything else."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate has no UTF-8.
    written = written.encode("utf-8", "backslashreplace").decode()
    return written.translate(_UNSAFE)


def text(words: str) -> str:
    """Return any text as HTML that shows it."""
    return escape(shortened(words))


@cache
def asset(name: str) -> str:
    """Return a file of `assets/`."""
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")
