"""Recordings in Parquet that somebody wrote: steps that would give wrong numbers are refused."""

import numpy as np
import pytest

from dreamer import import_trajectories, trajectory
from jobs.errors import Refused
from tests import synthetic

STEPS = 6


def column(name, values):
    """Change one column of every episode."""
    return lambda groups: [group | {name: values} for group in groups]


CHANGES = {
    "an episode twice": (lambda groups: [*groups, groups[0]], "has an episode twice"),
    "a copy under another number": (
        lambda groups: [*groups, groups[0] | {"episode": [9] * STEPS}],
        "episodes 0 and 9 of .* hold the same path",
    ),
    "rows of two episodes mixed": (
        lambda groups: [
            {name: [pair[row % 2] for row, pair in enumerate(zip(*both, strict=True))]
             for name, both in zip(groups[0], zip(*(item.values() for item in groups[:2]),
                                                  strict=True), strict=True)},
            *groups[2:],
        ],
        "has an episode twice, or its rows lie apart",
    ),
    "every third step": (column("step", list(range(0, 3 * STEPS, 3))), "do not count 0, 1, 2"),
    "no reset": (column("is_first", [False] * STEPS), "is_first elsewhere than at step 0"),
    "a facing of its own": (column("facing", ["north"] * STEPS), "has a facing 'north'"),
    "no facing": (column("facing", [None] * STEPS), "has rows without facing"),
    "no place": (column("x", [None] * STEPS), "has rows without x"),
    "no action": (column("action", [None] * STEPS), "has rows without action"),
    "an action without name": (column("action", [1] * 5 + [6]), "actions from 1 to 6, but names 6"),
    "no terrain": (column("terrain", [None] * STEPS), "a terrain of 0 tiles at a reset"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_steps_that_break_the_contract_are_refused(change, tmp_path):
    made, sentence = CHANGES[change]
    groups, header = recorded(tmp_path / "good.parquet")
    trajectory.write(tmp_path / "bad.parquet", header, made(groups))
    with pytest.raises(Refused, match=sentence):
        import_trajectories.main(tmp_path / "t.parquet", tmp_path / "bad.parquet")
    assert not (tmp_path / "t.parquet").exists()


def test_whole_episodes_are_imported(tmp_path):
    recorded(tmp_path / "good.parquet")
    import_trajectories.main(tmp_path / "t.parquet", tmp_path / "good.parquet")
    assert len(np.unique(trajectory.read(tmp_path / "t.parquet", ["episode"])["episode"])) == 3


def recorded(path):
    """(row groups as {column: list}, header) of a recording of three episodes."""
    synthetic.recording(path, 3, STEPS, (5, 5), layers={"a": synthetic.noise(2)})
    file = trajectory.open_file(path)
    groups = [file.read_row_group(index).to_pydict() for index in range(file.num_row_groups)]
    return groups, trajectory.header(path)
