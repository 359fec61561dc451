"""Clips of a figure that signs: hands of different shapes on paths of their own.

It is no sign language: names of signs and what the hands do have nothing to do with each other.
But each sign has a hand shape, a place and a movement, differs a little from signer to signer, and
hands move on from one sign to the next, so that a recogniser has to find where one ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 210, 260
Movement = Literal["line", "arc", "circle", "shake", "nod", "zigzag"]
Point = tuple[float, float]
Colour = tuple[int, int, int]
_REST: Point = (62.0, 236.0)
"""Where the hand on the left of the picture rests, from the upper left corner."""
_RAISED: Point = (72.0, 165.0)
_CENTER = WIDTH / 2
_GRAINS = 60
_FAN, _LENGTHS = (-65, -24, -7, 9, 26), (15, 24, 26, 24, 19)
"""The directions of the fingers in degrees, and how long they are, thumb first."""


class Sign(NamedTuple):
    """`fingers` are stretched or not, thumb first; the hand moves from `start` to `end`.

    Of `both` hands the second is the mirror image of the first.
    """

    fingers: str
    turn: float
    start: Point
    end: Point
    movement: Movement
    frames: int
    both: bool = False


SIGNS = {
    "REGEN": Sign("11111", 180, (70, 70), (70, 150), "shake", 12, both=True),
    "SCHNEE": Sign("11111", 160, (60, 70), (75, 160), "zigzag", 13, both=True),
    "SONNE": Sign("11111", 0, (60, 60), (60, 60), "circle", 12),
    "WOLKE": Sign("00000", 0, (75, 80), (45, 80), "arc", 11, both=True),
    "WIND": Sign("11111", 90, (120, 120), (40, 120), "shake", 12),
    "NEBEL": Sign("01111", 90, (95, 130), (45, 130), "line", 10, both=True),
    "GEWITTER": Sign("11000", 135, (150, 60), (70, 165), "zigzag", 11),
    "FROST": Sign("00000", 0, (88, 190), (88, 190), "shake", 10, both=True),
    "NORD": Sign("01000", 0, (75, 150), (75, 60), "line", 9),
    "SUED": Sign("01000", 180, (75, 80), (75, 180), "line", 9),
    "OST": Sign("01000", 90, (70, 120), (150, 120), "line", 9),
    "WEST": Sign("01000", 270, (110, 120), (30, 120), "line", 9),
    "MORGEN": Sign("10000", 0, (85, 75), (45, 105), "arc", 10),
    "HEUTE": Sign("01001", 180, (80, 130), (80, 165), "nod", 10, both=True),
    "NACHT": Sign("01111", 180, (50, 80), (95, 160), "arc", 11, both=True),
    "TAG": Sign("01100", 0, (50, 150), (90, 70), "arc", 10),
    "ABEND": Sign("01111", 200, (70, 60), (70, 140), "line", 10),
    "WARM": Sign("11111", 0, (85, 160), (85, 100), "line", 10),
    "KALT": Sign("00000", 0, (70, 130), (70, 130), "shake", 11),
    "STARK": Sign("10000", 0, (60, 160), (60, 110), "nod", 9, both=True),
    "LEICHT": Sign("10001", 0, (80, 110), (60, 130), "circle", 11),
    "MEHR": Sign("01100", 90, (60, 150), (60, 95), "zigzag", 11),
    "GRAD": Sign("01000", 20, (60, 90), (60, 90), "circle", 9),
    "IX": Sign("01000", 45, (80, 150), (105, 135), "line", 8),
}


@dataclass(frozen=True)
class Signer:
    """Whose clip it is: colors, size, place, pace, and how exactly the signs are made."""

    skin: Colour
    shirt: Colour
    ground: Colour
    size: float
    shift: float
    pace: float
    care: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Signer:
        """Return a new signer."""
        tone = rng.uniform(0.45, 1)
        shirt, ground = int(rng.integers(20, 60)), int(rng.integers(150, 215))
        return cls(
            skin=(round(150 * tone), round(185 * tone), round(225 * tone)),
            shirt=(shirt, shirt, shirt),
            ground=(ground, ground - 5, ground - 12),
            size=float(rng.uniform(0.92, 1.08)),
            shift=float(rng.uniform(-8, 8)),
            pace=float(rng.uniform(1, 1.3)),
            care=float(rng.uniform(1, 4)),
        )


class Pose(NamedTuple):
    """A hand in one frame: where it is, how it is turned in degrees, which fingers are out."""

    x: float
    y: float
    turn: float
    fingers: str


_DOWN, _UP = Pose(*_REST, 180, "00000"), Pose(*_RAISED, 0, "01111")


def clip(
    glosses: Sequence[str], signer: Signer, rng: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames (HEIGHT, WIDTH, 3), blue first, of `glosses` signed one after the other.

    `__ON__` raises the hands, which are up already where it does not come first; `__OFF__` lowers
    them.
    """
    body = _body(signer)
    for left, right in _poses(glosses, signer, rng):
        frame = body.copy()
        for pose, side in ((right, -1), (left, 1)):
            _draw_hand(frame, pose, signer, side)
        rows, columns = rng.integers(0, HEIGHT, _GRAINS), rng.integers(0, WIDTH, _GRAINS)
        frame[rows, columns] = rng.integers(0, 256, (_GRAINS, 1))
        yield frame


def _poses(
    glosses: Sequence[str], signer: Signer, rng: np.random.Generator
) -> Iterator[tuple[Pose, Pose]]:
    """Yield both hands frame by frame; the second is not mirrored yet."""
    now = (_DOWN, _DOWN) if glosses[0] == "__ON__" else (_UP, _UP)
    for gloss in glosses:
        poses = _signed(gloss, signer, rng)
        between = np.linspace(0, 1, int(rng.integers(3, 6)))[1:-1]
        for share in between:
            first, second = (
                _moved(old, new, share) for old, new in zip(now, poses[0], strict=True)
            )
            yield first, second
        yield from poses
        now = poses[-1]


def _signed(gloss: str, signer: Signer, rng: np.random.Generator) -> list[tuple[Pose, Pose]]:
    """Return the frames of one gloss."""
    if gloss in {"__ON__", "__OFF__"}:
        ends = (_DOWN, _UP) if gloss == "__ON__" else (_UP, _DOWN)
        moves = [_moved(*ends, share) for share in np.linspace(0, 1, 6)]
        return [(pose, pose) for pose in moves]
    sign = SIGNS[gloss]
    frames = max(8, round(sign.frames / signer.pace * float(rng.uniform(0.9, 1.1))))
    off = rng.normal(0, signer.care, 2)
    poses = []
    for share in np.linspace(0, 1, frames):
        x, y = _place(sign, float(share)) + off
        pose = Pose(x, y, sign.turn + float(rng.normal(0, 2)), sign.fingers)
        poses.append((pose, pose if sign.both else _DOWN))
    return poses


def _place(sign: Sign, share: float) -> NDArray[np.float64]:
    """Return where the hand is after a `share` of its movement."""
    start, end = np.array(sign.start), np.array(sign.end)
    place: NDArray[np.float64] = start + (end - start) * share
    wave = 2 * np.pi * share
    if sign.movement == "arc":
        place[1] -= 30 * np.sin(wave / 2)
    elif sign.movement == "circle":
        place += 22 * np.array([np.sin(wave), 1 - np.cos(wave)])
    elif sign.movement == "shake":
        place[0] += 10 * np.sin(3 * wave)
    elif sign.movement == "nod":
        place[1] += 12 * np.sin(2 * wave)
    elif sign.movement == "zigzag":
        place[0] += 16 * (2 * abs((3 * share) % 1 - 0.5) - 0.5)
    return place


def _moved(old: Pose, new: Pose, share: float) -> Pose:
    """Return the pose on the way from one to another."""
    smooth = share * share * (3 - 2 * share)
    turning = (new.turn - old.turn + 180) % 360 - 180
    return Pose(
        old.x + (new.x - old.x) * smooth,
        old.y + (new.y - old.y) * smooth,
        old.turn + turning * smooth,
        (old, new)[round(share)].fingers,
    )


def _body(signer: Signer) -> NDArray[np.uint8]:
    """Return the picture of the signer without arms."""
    image = np.full((HEIGHT, WIDTH, 3), signer.ground, np.uint8)
    middle = round(_CENTER + signer.shift)
    size = signer.size
    head = (round(26 * size), round(34 * size))
    cv2.ellipse(image, (middle, 62), (head[0] + 4, head[1] + 2), 0, 180, 360, signer.shirt, -1)
    cv2.rectangle(image, (middle - 9, 80), (middle + 9, 118), signer.skin, -1)
    cv2.ellipse(image, (middle, 64), head, 0, 0, 360, signer.skin, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(image, (middle + 10 * side, 60), 2, (30, 30, 30), -1, cv2.LINE_AA)
    cv2.ellipse(image, (middle, 80), (9, 3), 0, 0, 180, (60, 60, 120), 1, cv2.LINE_AA)
    wide = round(58 * size)
    cv2.ellipse(image, (middle, 155), (wide, 48), 0, 180, 360, signer.shirt, -1, cv2.LINE_AA)
    cv2.rectangle(image, (middle - wide, 155), (middle + wide, HEIGHT), signer.shirt, -1)
    return image


def _draw_hand(image: NDArray[np.uint8], pose: Pose, signer: Signer, side: int) -> None:
    """Draw arm and hand; `side` is -1 for the mirror image."""

    def placed(x: float, y: float) -> tuple[int, int]:
        return round((_CENTER + signer.shift + side * (x - _CENTER)) * 8), round(y * 8)

    size = signer.size
    shoulder, elbow = placed(_CENTER - 50 * size, 140), placed(min(pose.x, 60) - 22, 205)
    wrist = placed(pose.x, pose.y)
    sleeve = tuple(part + 14 for part in signer.shirt)
    dark = tuple(part * 3 // 4 for part in signer.skin)
    cv2.line(image, shoulder, elbow, sleeve, 17, cv2.LINE_AA, 3)
    cv2.line(image, elbow, wrist, sleeve, 13, cv2.LINE_AA, 3)
    for out, fan, long in zip(pose.fingers, _FAN, _LENGTHS, strict=True):
        angle = np.deg2rad(pose.turn + fan)
        reach = size * (long if out == "1" else 10)
        tip = placed(pose.x + reach * np.sin(angle), pose.y - reach * np.cos(angle))
        cv2.line(image, wrist, tip, dark, 8, cv2.LINE_AA, 3)
        cv2.line(image, wrist, tip, signer.skin, 5, cv2.LINE_AA, 3)
    cv2.circle(image, wrist, round(9 * size * 8), signer.skin, -1, cv2.LINE_AA, 3)
