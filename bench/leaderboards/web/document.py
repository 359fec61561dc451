"""HTML documents that are complete in one file and make no request to other hosts."""

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
"""Characters that could end a script element, or a line in a string of older JavaScript."""


def html_document(
    title: str,
    body: str,
    scripts: Sequence[str],
    styles: Sequence[str],
    data: object = None,
    requests: str = "img-src data:",
) -> bytes:
    """Return an HTML page.

    Args:
        title: The title, which is escaped.
        body: The content of the body, as HTML.
        scripts: Names of JavaScript files in `assets/`, in the order in which they run.
        styles: Names of CSS files in `assets/`, in their order.
        data: Data of the scripts, written as JSON into the element `#data`; None for no data.
        requests: Directives of the content security policy that allow requests; all other requests
            are forbidden.
    """
    script = "".join(map(asset, scripts))
    data_element = f'<script type="application/json" id="data">{inline_json(data)}</script>\n'
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
        f"<title>{html_text(title)}</title>\n"
        f"<style>\n{''.join(map(asset, styles))}</style>\n</head>\n<body>\n{body}\n"
        f"{data_element if data is not None else ''}<script>{script}</script>\n</body>\n</html>\n"
    ).encode()


def with_script_hash(policy: str, script: str) -> str:
    """Return a content security policy that also allows an inline script, by its hash."""
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    sources = "script-src"
    if sources not in policy:
        return f"{policy}; script-src 'sha256-{digest}'"
    return policy.replace(sources, f"{sources} 'sha256-{digest}'")


def inline_json(data: object) -> str:
    """Return data as JSON in one line, escaped for a script element."""
    written = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # A lone surrogate has no UTF-8.
    written = written.encode("utf-8", "backslashreplace").decode()
    return written.translate(_UNSAFE)


def html_text(text: str) -> str:
    """Return a text escaped for HTML, shortened and without control characters."""
    return escape(shortened(text))


@cache
def asset(name: str) -> str:
    """Return the content of a file in `assets/`."""
    return (resources.files(__package__) / "assets" / name).read_text(encoding="utf-8")
