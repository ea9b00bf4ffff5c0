"""Dream decoding on dreams whose right answer is known: alignment, floors, chance, coherence."""

import re

import numpy as np
import pytest

from analysis import coherence, decoders, dream_scores, dreams, plot_dreams, position
from dreamer import trajectory
from jobs import files
from jobs.errors import Refused
from tests import synthetic
from tests.test_position import OPTIONS

LAYERS = {"dyn/deter": synthetic.one_hot, "dyn/stoch": synthetic.place_fields(30, 1.0)}
FIGURES = ("dream_vs_real", "dream_trajectories_world", "dream_coherence", "dream_strip")
FIGURES += ("dream_probmap_policy", "dream_probmap_forced")
HORIZON, STARTS = 5, [3, 20, 47, 70, 101, 130]
DREAMS = {"methods": ["ridge", "robust"], "jump": 2.0, "examples": 2, "seed": 0}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with two recordings of a small arena and the decoders fitted on the first."""
    folder = tmp_path_factory.mktemp("dreams")
    synthetic.recording(folder / "trajectory.parquet", 12, 60, (5, 5), layers=LAYERS)
    synthetic.recording(folder / "test.parquet", 3, 60, (5, 5), seed=4, layers=LAYERS)
    spec = synthetic.spec(folder / "spec.json", "position", {**OPTIONS, "split": "test"})
    outputs = [folder / name for name in ("p.json", "p.parquet", "decoders.safetensors")]
    pair = (folder / "trajectory.parquet", folder / "test.parquet")
    position.main(spec, *pair, *outputs, folder / "work")
    return folder


def decode(trained, folder, path=None, recording=None, **changed):
    """Scores and per-step table of decoded dreams."""
    spec = synthetic.spec(folder / "spec.json", "dreams", DREAMS | changed)
    path, recording = path or folder / "dreams.parquet", recording or trained / "test.parquet"
    outputs = (folder / "dreams.json", folder / "steps.parquet", folder / "maps.parquet")
    dreams.main(spec, path, recording, trained / "decoders.safetensors", *outputs)
    table = trajectory.read_log(outputs[1], "dreams_steps")[1]
    return files.read_json(outputs[0]), table


def dream(trained, folder, shift=0, starts=STARTS):
    path = folder / "dreams.parquet"
    synthetic.dreams(path, trained / "test.parquet", HORIZON, starts, list(LAYERS), shift)
    return path


def draw(folder, path, recording):
    """Paths of all figures of decoded dreams by name, the video among them."""
    spec = synthetic.spec(folder / "plot.json", "plot_dreams", {"step_ms": 200})
    tables = [folder / name for name in ("dreams.json", "steps.parquet", "maps.parquet")]
    figures = [folder / "dream_video.gif", *(folder / f"{name}.svg" for name in FIGURES)]
    plot_dreams.main(spec, *tables, path, recording, *figures)
    return figures


def variant(found, name="forced", method="robust", layer="dyn/deter"):
    return found["details"][layer][method]["variants"][name]


def test_a_dream_that_comes_true_has_no_error_at_any_step(trained, tmp_path):
    dream(trained, tmp_path)
    found, table = decode(trained, tmp_path)
    assert set(found["details"]) == {*LAYERS, "combined"}
    for name in ("forced", "policy", "real states"):
        np.testing.assert_allclose(variant(found, name)["mean"], 0, atol=1e-9)
    assert len(table) == 3 * 2 * 3 * len(STARTS) * (HORIZON + 1)
    assert min(variant(found)["shuffled"]) > 1


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_dream_that_is_one_step_off_shows_an_error_from_the_first_step_on(
    trained, tmp_path, shift
):
    dream(trained, tmp_path, shift, moving(trained))
    found, _ = decode(trained, tmp_path)
    error = np.array(variant(found)["mean"])
    assert error[0] == 0 and (error[1:] >= 0.9).all()
    np.testing.assert_allclose(variant(found, "real states")["mean"], 0, atol=1e-9)


def moving(trained):
    """Starts whose position changes at every one of the steps around them."""
    read = trajectory.read(trained / "test.parquet", ["x", "y", "step"])
    moved = (np.diff(read["x"]) != 0) | (np.diff(read["y"]) != 0)
    inside = (read["step"] > 0) & (read["step"] < 60 - HORIZON - 1)
    rows = np.flatnonzero(inside)
    starts = [row for row in rows if moved[row : row + HORIZON + 1].all()]
    assert starts
    return starts


def test_dreams_of_another_recording_are_refused(trained, tmp_path):
    dream(trained, tmp_path)
    synthetic.recording(tmp_path / "other.parquet", 3, 60, (5, 5), seed=5, layers=LAYERS)
    with pytest.raises(Refused, match="are not those of"):
        decode(trained, tmp_path, recording=tmp_path / "other.parquet")
    assert not (tmp_path / "dreams.json").exists()


def test_forced_dreams_must_replay_the_recorded_actions(trained, tmp_path):
    dream(trained, tmp_path)
    header = trajectory.header(tmp_path / "dreams.parquet", "dreams")
    read = trajectory.open_file(tmp_path / "dreams.parquet", "dreams").read().to_pydict()
    read["action"] = [None if action is None else (action + 1) % 6 for action in read["action"]]
    trajectory.write(tmp_path / "late.parquet", header, [read])
    with pytest.raises(Refused, match="the actions in .* are not those of"):
        decode(trained, tmp_path, tmp_path / "late.parquet")


def test_the_floor_is_the_error_on_all_recorded_states(trained, tmp_path):
    dream(trained, tmp_path)
    found, _ = decode(trained, tmp_path)
    scores = files.read_json(trained / "p.json")["summary"]
    wanted = {"layer": "dyn/stoch", "representation": "ridge", "score": "mean Euclidean error"}
    row = next(row for row in scores if wanted.items() <= row.items())
    assert found["details"]["dyn/stoch"]["ridge"]["floor"] == pytest.approx(row["value"])


def test_one_start_has_no_shuffled_level_and_does_not_fail(trained, tmp_path):
    dream(trained, tmp_path, starts=STARTS[:1])
    found, _ = decode(trained, tmp_path)
    assert variant(found)["shuffled"] == [None] * (HORIZON + 1)


def test_shuffled_chance_is_the_mean_over_all_other_starts():
    guess = np.array([[[0, 0], [1, 0]], [[4, 0], [4, 3]], [[0, 0], [0, 0]]], float)
    found = errors_by_horizon(guess, guess, [0, 0, 0])["shuffled"]
    np.testing.assert_allclose(found[0], (4 + 0 + 4 + 4 + 0 + 4) / 6)
    np.testing.assert_allclose(found[1], 2 * (np.hypot(3, 3) + 1 + 5) / 6)


def errors_by_horizon(guess, position, episode):
    blank = np.full(guess.shape[:2], np.nan)
    return dream_scores.by_horizon(guess, blank, position, np.array(episode))


def test_shuffled_chance_leaves_out_starts_of_the_same_episode_if_there_are_others():
    guess = np.array([[[0, 0]], [[1, 0]], [[10, 0]]], float)
    found = errors_by_horizon(guess, guess, [0, 0, 7])
    np.testing.assert_allclose(found["shuffled"], (10 + 9 + (10 + 9) / 2) / 3)
    assert found["shuffled_name"] == dream_scores.FOREIGN
    alone = errors_by_horizon(guess, guess, [7, 7, 7])
    assert alone["shuffled_name"] == dream_scores.SHUFFLED
    np.testing.assert_allclose(alone["shuffled"], (11 + 10 + 19) / 6)


def test_the_frozen_start_keeps_its_first_guess_while_the_agent_moves_on():
    guess = np.array([[[1, 0], [9, 9], [9, 9]]], float)
    position = np.array([[[0, 0], [1, 0], [1, 5]]], float)
    found = errors_by_horizon(guess, position, [0])
    assert found["frozen"].tolist() == [1, 0, 5]
    assert dream_scores.beats_frozen([found]) == (0, 1)
    true = errors_by_horizon(position, position, [0])
    assert dream_scores.beats_frozen([found, true]) == (1, 2)


def test_a_true_dream_is_told_to_beat_its_frozen_start_and_both_stand_in_the_table(
    trained, tmp_path
):
    dream(trained, tmp_path, starts=moving(trained))
    found, _ = decode(trained, tmp_path)
    counts = re.search(r"in (\d+) of (\d+) combinations", " ".join(found["notes"]))
    assert int(counts[2]) == 3 * 2 * 2 and int(counts[1]) == int(counts[2])
    scores = [row["score"] for row in found["summary"]]
    place = scores.index(f"mean Euclidean error at h = {HORIZON}")
    assert scores[place + 1] == f"error of the frozen start at h = {HORIZON}"
    assert found["summary"][place + 1]["value"] > 0


@pytest.mark.parametrize("method", ["ridge", "robust"])
def test_a_decoder_that_can_only_name_visited_tiles_has_no_chance_on_walkable_ground(method):
    guess = np.zeros((1, 2, 2))
    walkable = np.array([[[True, False], [False, False]]])
    facts = errors_by_horizon(guess, guess, [0])
    facts |= dream_scores.spatial(guess, np.full((1, 2), np.nan), ["noop"], walkable, 2.0)
    found = dream_scores.rows("layer", method, {"forced": facts}, 0.0, walkable, 2.0)
    row = next(row for row in found if row["score"] == "decoded on walkable tiles")
    wanted = {"ridge": (0.25, dream_scores.AREA), "robust": (None, dream_scores.VISITED)}
    assert row["value"] == 1 and (row["chance"], row["chance_name"]) == wanted[method]


def test_displacement_is_the_distance_from_the_start():
    position = np.array([[[2, 2], [2, 3], [5, 6]]])
    assert dream_scores.displacement(position).tolist() == [0, 1, 5]


def test_agreement_counts_moves_whose_decoded_step_goes_their_way():
    names = ["noop", "move_left", "move_right", "move_up", "move_down"]
    guess = np.array([[[3, 3], [2, 3], [2, 3], [2, 4], [2, 4]]], float)  # left, none, down, none
    action = np.array([[np.nan, 1, 2, 4, 0]])
    share, chance = coherence.agreement(guess, action, names)
    assert share == pytest.approx(2 / 3)
    assert chance == pytest.approx(1 / 3 * 1 / 3 + 1 / 3 * 1 / 3)
    assert coherence.agreement(guess, np.full((1, 5), np.nan), names) == (None, None)


def test_step_lengths_jumps_and_ground_by_hand():
    guess = np.array([[[0, 0], [0, 1], [3, 1], [3.2, 1]]])
    assert coherence.step_lengths(guess).tolist() == [[1, 3, 0]]
    np.testing.assert_allclose(coherence.histogram([0, 1, 1, 3]), [0.25, 0.5, 0, 0.25, 0, 0, 0])
    walkable = np.ones((1, 4, 2), bool)
    walkable[0, 3, 1] = False
    assert coherence.on_ground(guess, walkable) == 0.5
    assert coherence.on_ground(guess - 1, walkable) < 1


def broken(path, kind, copy):
    """Write a file again with NaN in its `dyn/stoch`."""
    header, file = trajectory.header(path, kind), trajectory.open_file(path, kind)
    parts = [file.read_row_group(index).to_pydict() for index in range(file.num_row_groups)]
    width = header["layers"]["dyn/stoch"]["width"]
    blank = [np.full((len(part["x"]), width), np.nan) for part in parts]
    pairs = zip(parts, blank, strict=True)
    trajectory.write(copy, header, (part | {"dyn/stoch": item} for part, item in pairs))
    return copy


@pytest.mark.parametrize("side", ["dreams", "trajectory"])
def test_beliefs_that_are_not_finite_are_named_and_the_others_read(trained, tmp_path, side):
    paths = {"dreams": dream(trained, tmp_path), "trajectory": trained / "test.parquet"}
    paths[side] = broken(paths[side], side, tmp_path / "broken.parquet")
    found, table = decode(trained, tmp_path, *paths.values())
    assert "Not finite, so not decoded: combined, dyn/stoch." in found["notes"]
    assert set(found["details"]) == set(table["representation"]) == {"dyn/deter"}


@pytest.mark.parametrize("lacking", ["decoders", "positions"])
def test_without_decoders_or_positions_the_report_gets_a_sentence(trained, tmp_path, lacking):
    path, recording = dream(trained, tmp_path), None
    if lacking == "positions":
        recording = tmp_path / "t.parquet"
        synthetic.recording(recording, 3, 60, (5, 5), layers=LAYERS, absent=["x", "y"])
    folder = trained
    if lacking == "decoders":
        folder = tmp_path / "empty"
        folder.mkdir()
        about = {"inputs": {}, "area": [5, 5]}
        decoders.save(folder / "decoders.safetensors", {}, about)
        recording = trained / "test.parquet"
    found, table = decode(folder, tmp_path, path, recording)
    words = {"decoders": "fitted no decoder of dyn/deter", "positions": "has no positions"}
    assert words[lacking] in found["notes"][0] and found["summary"] == [] and not len(table)
    assert all(figure.is_file() for figure in draw(tmp_path, path, recording))
