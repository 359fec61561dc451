from itertools import combinations, islice

import numpy as np
import pytest

from bench.synthetic.signing import SIGNS, Signer, draw_clip


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def filmed(glosses, signer, rng):
    return np.stack([*draw_clip(glosses, signer, rng)]).astype(np.int16)


def test_frames_are_yielded_one_by_one(rng):
    endless = draw_clip(["IX"] * 10**6, Signer.draw(rng), rng)
    assert [frame.shape for frame in islice(endless, 3)] == 3 * [(260, 210, 3)]


def test_clips_of_a_sign_are_more_similar_than_clips_of_different_signs(rng):
    signer = Signer.draw(rng)
    names = [*SIGNS]
    seen, again = {}, {}
    for clips, shown in ((seen, names), (again, names[::3])):
        for name in shown:
            film = filmed([name], signer, rng)
            clips[name] = film[np.linspace(3, len(film) - 1, 7).astype(int)]
    nearest = [
        min(seen, key=lambda other: np.abs(film - seen[other]).mean()) for film in again.values()
    ]
    assert sum(map(str.__eq__, nearest, again)) >= len(again) - 1


def test_on_raises_the_hands_and_off_lowers_them(rng):
    signer = Signer.draw(rng)
    film = filmed(["__ON__", "NORD", "__OFF__"], signer, rng)
    lower = film[:, 215:].reshape(len(film), -1)
    assert np.abs(lower[0] - lower[-1]).mean() < 1
    assert np.abs(lower[0] - lower[len(film) // 2]).mean() > 3


def test_signers_look_and_sign_differently(rng):
    films = [filmed(["MEHR"], Signer.draw(rng), rng) for _ in range(4)]
    for first, second in combinations(films, 2):
        assert np.abs(first[0] - second[0]).mean() > 2
