"""Clips of a drawn figure that signs, with invented signs.

It is not a sign language: the movements have no relation to the names of the signs. But each sign
has a hand shape, a position and a movement, varies between signers, and hands move from one sign to
the next, so a recognizer has to find the boundaries of signs.
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
Color = tuple[int, int, int]
_REST_POSITION: Point = (62.0, 236.0)
"""The rest position (x, y) of the hand on the left of the image, in pixels."""
_RAISED_POSITION: Point = (72.0, 165.0)
_CENTER = WIDTH / 2
_GRAINS = 60
_FINGER_ANGLES, _FINGER_LENGTHS = (-65, -24, -7, 9, 26), (15, 24, 26, 24, 19)
"""The angles of the fingers in degrees and their lengths in pixels, thumb first."""


class Sign(NamedTuple):
    """A sign.

    Attributes:
        fingers: 1 for each stretched finger, 0 for others, thumb first.
        turn: The rotation of the hand in degrees.
        start: The position at the start, in pixels.
        end: The position at the end.
        movement: The kind of path from start to end.
        frames: The usual number of frames.
        both: Whether the second hand mirrors the first.
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
    """The looks of a signer and the way of signing.

    Attributes:
        skin: The BGR color of the skin.
        shirt: The BGR color of the shirt.
        ground: The BGR color of the background.
        size: The factor of body sizes.
        shift: The horizontal offset in pixels.
        pace: The factor of speed.
        care: The standard deviation of positions in pixels.
    """

    skin: Color
    shirt: Color
    ground: Color
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
    """The pose of a hand in one frame: position, rotation in degrees, and stretched fingers."""

    x: float
    y: float
    turn: float
    fingers: str


_DOWN, _UP = Pose(*_REST_POSITION, 180, "00000"), Pose(*_RAISED_POSITION, 0, "01111")


def draw_clip(
    glosses: Sequence[str], signer: Signer, rng: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames, BGR (HEIGHT, WIDTH, 3), of a sequence of glosses.

    `__ON__` raises the hands, which start raised if it is not the first gloss; `__OFF__` lowers
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
    """Yield the poses of both hands frame by frame; the second is not mirrored yet."""
    now = (_DOWN, _DOWN) if glosses[0] == "__ON__" else (_UP, _UP)
    for gloss in glosses:
        poses = _sign_poses(gloss, signer, rng)
        between = np.linspace(0, 1, int(rng.integers(3, 6)))[1:-1]
        for share in between:
            first, second = (
                _interpolated_pose(old, new, share) for old, new in zip(now, poses[0], strict=True)
            )
            yield first, second
        yield from poses
        now = poses[-1]


def _sign_poses(gloss: str, signer: Signer, rng: np.random.Generator) -> list[tuple[Pose, Pose]]:
    """Return the poses of both hands in the frames of one gloss."""
    if gloss in {"__ON__", "__OFF__"}:
        ends = (_DOWN, _UP) if gloss == "__ON__" else (_UP, _DOWN)
        moves = [_interpolated_pose(*ends, share) for share in np.linspace(0, 1, 6)]
        return [(pose, pose) for pose in moves]
    sign = SIGNS[gloss]
    frames = max(8, round(sign.frames / signer.pace * float(rng.uniform(0.9, 1.1))))
    off = rng.normal(0, signer.care, 2)
    poses = []
    for share in np.linspace(0, 1, frames):
        x, y = _hand_position(sign, float(share)) + off
        pose = Pose(x, y, sign.turn + float(rng.normal(0, 2)), sign.fingers)
        poses.append((pose, pose if sign.both else _DOWN))
    return poses


def _hand_position(sign: Sign, share: float) -> NDArray[np.float64]:
    """Return the position of the hand after a `share` of its movement."""
    start, end = np.array(sign.start), np.array(sign.end)
    position: NDArray[np.float64] = start + (end - start) * share
    wave = 2 * np.pi * share
    if sign.movement == "arc":
        position[1] -= 30 * np.sin(wave / 2)
    elif sign.movement == "circle":
        position += 22 * np.array([np.sin(wave), 1 - np.cos(wave)])
    elif sign.movement == "shake":
        position[0] += 10 * np.sin(3 * wave)
    elif sign.movement == "nod":
        position[1] += 12 * np.sin(2 * wave)
    elif sign.movement == "zigzag":
        position[0] += 16 * (2 * abs((3 * share) % 1 - 0.5) - 0.5)
    return position


def _interpolated_pose(old: Pose, new: Pose, share: float) -> Pose:
    """Return the pose between two poses, after a `share` of the way."""
    smooth = share * share * (3 - 2 * share)
    turning = (new.turn - old.turn + 180) % 360 - 180
    return Pose(
        old.x + (new.x - old.x) * smooth,
        old.y + (new.y - old.y) * smooth,
        old.turn + turning * smooth,
        (old, new)[round(share)].fingers,
    )


def _body(signer: Signer) -> NDArray[np.uint8]:
    """Return the image of the signer without arms."""
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
    """Draw an arm and a hand; `side` is -1 for the mirrored side."""

    def placed(x: float, y: float) -> tuple[int, int]:
        return round((_CENTER + signer.shift + side * (x - _CENTER)) * 8), round(y * 8)

    size = signer.size
    shoulder, elbow = placed(_CENTER - 50 * size, 140), placed(min(pose.x, 60) - 22, 205)
    wrist = placed(pose.x, pose.y)
    sleeve = tuple(part + 14 for part in signer.shirt)
    dark = tuple(part * 3 // 4 for part in signer.skin)
    cv2.line(image, shoulder, elbow, sleeve, 17, cv2.LINE_AA, 3)
    cv2.line(image, elbow, wrist, sleeve, 13, cv2.LINE_AA, 3)
    for out, finger_angle, length in zip(
        pose.fingers, _FINGER_ANGLES, _FINGER_LENGTHS, strict=True
    ):
        angle = np.deg2rad(pose.turn + finger_angle)
        reach = size * (length if out == "1" else 10)
        tip = placed(pose.x + reach * np.sin(angle), pose.y - reach * np.cos(angle))
        cv2.line(image, wrist, tip, dark, 8, cv2.LINE_AA, 3)
        cv2.line(image, wrist, tip, signer.skin, 5, cv2.LINE_AA, 3)
    cv2.circle(image, wrist, round(9 * size * 8), signer.skin, -1, cv2.LINE_AA, 3)
