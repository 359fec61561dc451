"""Draw the figure of the page `localization`: `uv run python docs/figures/localization.py`."""

from __future__ import annotations

from pathlib import Path

from bench.data.reading.sequence_of_digits import Scheme
from bench.evaluation.metrics.detection import (
    Segment,
    average_precision,
    temporal_iou,
    true_segments,
)
from bench.evaluation.metrics.localization import (
    THRESHOLDS,
    Localization,
    measure_localization,
    path_runs,
)

SCHEME, READ = Scheme(4, (0.3, 0.5, 0.7), 2), "3141"
PATHS = {
    "peaks": [0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0],
    "wide": [0, 3, 3, 3, 0, 1, 1, 0, 0, 4, 4, 4, 4, 0, 1, 1, 1],
    "late, and wrong": [0, 0, 0, 3, 3, 3, 0, 0, 0, 4, 4, 4, 0, 7, 7, 7, 0],
}
TRUTHS = [Segment(0, start, start + 20) for start in (0, 30, 60, 90)]
FOUND = {
    "A": Segment(0, 0, 20, 0.9),
    "B": Segment(0, 30, 42, 0.8),
    "C": Segment(0, 120, 130, 0.6),
    "D": Segment(0, 60, 75, 0.6),
    "E": Segment(0, 90, 97, 0.3),
}
"""The worked example: they overlap a true segment by 1, 0.6, 0, 0.75 and 0.35."""
COLOURS = {"3": "#1f77b4", "1": "#d6601e", "4": "#2c823c", "7": "#777777"}
CELL, LEFT, RIGHT, BAR = 32, 120, 250, 76
WIDTH = LEFT + 17 * CELL + RIGHT
CRISP = {"shape_rendering": "crispEdges"}
SIDE, PLOT_HEIGHT, PLOT_GAP = 200, 130, 92


def text(x: float, y: float, words: str, **more: str) -> str:
    """Return a line of text; `more` are SVG attributes."""
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<text x="{x:g}" y="{y:g}"{given}>{words}</text>'


def box(x: float, y: float, width: float, height: float, **more: str) -> str:
    """Return a rectangle."""
    given = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size}{given}/>'


def frame_numbers(frames: int, y: float) -> list[str]:
    """Return the number of each frame, key frames in bold."""
    keys = SCHEME.key_frames().tolist()
    return [text(LEFT - 12, y, "frame", text_anchor="end", fill="#555")] + [
        text(
            LEFT + (frame + 0.5) * CELL,
            y,
            str(frame),
            text_anchor="middle",
            fill="black" if frame in keys else "#888",
            font_weight="bold" if frame in keys else "normal",
        )
        for frame in range(frames)
    ]


def shares(y: float) -> list[str]:
    """Return each frame's shares of the digits, one on the other."""
    marks = [text(LEFT - 12, y + BAR / 2 + 4, "shares of digits", text_anchor="end")]
    for frame, row in enumerate(SCHEME.weights().tolist()):
        bottom = y + BAR
        for digit, share in zip(READ, row, strict=True):
            if share:
                bottom -= share * BAR
                x = LEFT + frame * CELL + 1
                marks.append(box(x, bottom, CELL - 2, share * BAR, fill=COLOURS[digit]))
    return marks


def lane(y: float, name: str, cells: list[tuple[str, int, int]]) -> list[str]:
    """Return a row of segments, each a label on the frames start, …, end - 1."""
    marks = [
        text(LEFT - 12, y + 19, name, text_anchor="end"),
        box(LEFT, y, 17 * CELL, 28, fill="#f2f2f2"),
    ]
    for label, start, end in cells:
        x, wide = LEFT + start * CELL + 1, (end - start) * CELL - 2
        marks.append(box(x, y + 1, wide, 26, rx="4", fill=COLOURS[label]))
        middle = {"text_anchor": "middle", "fill": "white", "font_weight": "bold"}
        marks.append(text(x + wide / 2, y + 19, label, **middle))
    return marks


def measured(path: list[int]) -> Localization:
    """Return what bench says of one sample with this path, each label read in its run's middle."""
    spans = path_runs(path)
    return measure_localization(
        {
            "reference": [READ],
            "hypothesis": ["".join(str(path[start]) for start, _ in spans)],
            "excluded": [None],
            "confidence": [1.0],
            "path": [path],
            "aligned": [[(start + end - 1) // 2 for start, end in spans]],
            "key_frames": [SCHEME.key_frames().tolist()],
        }
    )


def overlaps(y: float, path: list[int], truths: list[Segment]) -> list[str]:
    """Return each run's largest overlap with a true segment of its label."""
    marks = []
    for start, end in path_runs(path):
        segment, label = Segment(0, start, end), str(path[start])
        same = [truth for truth, digit in zip(truths, READ, strict=True) if digit == label]
        best = max((temporal_iou(truth, segment) for truth in same), default=None)
        words = "no such label" if best is None else f"{best:.2f}"
        x = LEFT + (start + end) / 2 * CELL
        marks.append(text(x, y, words, text_anchor="middle", fill=COLOURS[label], font_size="11"))
    return marks


def summary(y: float, path: list[int]) -> list[str]:
    """Return what is measured on a path, beside it."""
    found, x = measured(path), LEFT + 17 * CELL + 16
    held = [f"{name} {100 * share:.0f}" for name, share in found.average_precision.items()]
    error = found.key_frame_error
    return [
        text(x, y + 10, f"mAP {100 * found.mean_average_precision:.1f} %", font_weight="bold"),
        text(x + 88, y + 10, f"blank {found.blank_ratio:.2f}, width {found.peak_width:.2f}"),
        text(x, y + 26, " · ".join(held), font_size="10", fill="#555"),
        text(x, y + 41, f"key-frame error {error.mean:.2f} over {error.labels}", font_size="11"),
    ]


def curve(x: float, y: float, threshold: float) -> list[str]:
    """Return the worked example's precision over recall at one threshold, and the area below."""
    area = average_precision(TRUTHS, list(FOUND.values()), threshold)
    points = []
    for cut in sorted({each.score for each in FOUND.values()}, reverse=True):
        kept = [each for each in FOUND.values() if each.score >= cut]
        right = sum(max(temporal_iou(one, each) for one in TRUTHS) >= threshold for each in kept)
        points.append((right / len(TRUTHS), right / len(kept), cut))
    marks = [
        text(x, y - 10, f"overlap ≥ {threshold}: AP = {area:.4g}", font_weight="bold"),
        box(x, y, SIDE, PLOT_HEIGHT, fill="#f2f2f2"),
    ]
    for part in range(len(TRUTHS)):
        best = max((p for r, p, _ in points if r * len(TRUTHS) > part), default=0)
        step = SIDE / len(TRUTHS)
        top, high = y + PLOT_HEIGHT * (1 - best), PLOT_HEIGHT * best
        if best:
            marks.append(
                box(x + part * step, top, step, high, fill="#1f77b4", fill_opacity="0.3", **CRISP)
            )
    for recall, precision, cut in points:
        at = x + recall * SIDE, y + PLOT_HEIGHT * (1 - precision)
        marks.append(f'<circle cx="{at[0]:g}" cy="{at[1]:g}" r="4" fill="#1f77b4"/>')
        names = "".join(name for name, each in FOUND.items() if each.score == cut)
        marks.append(text(at[0] - 7, at[1] + 16, names, text_anchor="end", font_size="11"))
    marks.append(text(x, y + PLOT_HEIGHT + 16, "0", fill="#555"))
    marks.append(
        text(x + SIDE / 2, y + PLOT_HEIGHT + 16, "recall", text_anchor="middle", fill="#555")
    )
    marks.append(text(x + SIDE, y + PLOT_HEIGHT + 16, "1", text_anchor="end", fill="#555"))
    marks.append(text(x - 8, y + 12, "1", text_anchor="end", fill="#555"))
    marks.append(text(x - 8, y + PLOT_HEIGHT / 2, "precision", text_anchor="end", fill="#555"))
    return marks


def main() -> None:
    """Write the figure beside this file."""
    weights, keys = SCHEME.weights(), SCHEME.key_frames().tolist()
    truths = true_segments(0, keys, len(weights))
    marks = [text(16, 24, "What is true, and how well three paths find it", font_weight="bold")]
    marks += frame_numbers(len(weights), 50) + shares(58)
    cells = [(digit, each.start, each.end) for digit, each in zip(READ, truths, strict=True)]
    marks += lane(150, "true segments", cells)
    for key in keys:
        x = LEFT + (key + 0.5) * CELL
        marks.append(f'<path d="M{x - 5:g} 140h10l-5 7z" fill="black"/>')
    y = 200
    for name, path in PATHS.items():
        spans = [(str(path[start]), start, end) for start, end in path_runs(path)]
        marks += lane(y, name, spans) + overlaps(y + 42, path, truths) + summary(y, path)
        y += 62
    y += 24
    marks.append(text(16, y, "Precision over recall of the worked example", font_weight="bold"))
    for column, threshold in enumerate((THRESHOLDS[0], THRESHOLDS[2], THRESHOLDS[4])):
        marks += curve(LEFT - 30 + column * (SIDE + PLOT_GAP), y + 36, threshold)
    Path(__file__).with_suffix(".svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + PLOT_HEIGHT + 64}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(marks)
        + "\n</svg>\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
