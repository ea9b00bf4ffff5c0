"""The world model's evaluation, on models whose right answers are known."""

import inspect

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from analysis import plot_world_model
from dreamer import checkpoint, png, scores, spaces, trajectory
from dreamer.episodes import Episodes
from dreamer.v4 import drift, evaluate, flow, foreseen, judged, told
from dreamer.v4.foresight import Foresight
from jobs import cli, files
from jobs.errors import Refused
from tests import toy_v4

OPTIONS = {
    **{"clips": 6, "horizon": 5, "windows": 20, "examples": 2, "free_runs": 4, "free_steps": 16},
    **{"seed": 0, "platform": "cpu"},
}
CONTEXT = 4  # of t0
SMALL = {"dyn__kmax": 2, "dyn__rungs": 2, "dyn__context_level": 0.5}  # little to compile


class Planted(Foresight):
    """Latents are the pixels; `known` {bytes of the past: what comes}, or None: it repeats."""

    def __init__(self, params, future=None):
        super().__init__(params)
        self.known = future

    def latents(self, images):
        """[B, T, S, D] of whole images, a token each row."""
        x = self.truth(images)
        return x.reshape(*x.shape[:2], x.shape[2], -1)

    def pictures(self, z):
        return z.reshape(*z.shape[:3], -1, 3)

    def future(self, past, actions, keys, horizon, rungs=None, blind=False):
        last = past[0][:, -1:]
        z = jnp.repeat(last, horizon, 1)
        if self.known is not None:
            z = jnp.stack([self.known[np.asarray(image).tobytes()] for image in past[0]])
        taken = np.zeros((len(z), horizon), int) if actions is None else actions
        told = jnp.zeros((len(z), horizon))
        return {"z": z, "action": taken, "reward": told, "go_on": told}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return Episodes(toy_v4.write(folder / "d.parquet", count=8, length=20), folder / "work")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint of random parameters at the last phase."""
    path = tmp_path_factory.mktemp("saved") / "c.safetensors"
    return save(path, "imagination")


def save(path, phase):
    params = toy_v4.params(**SMALL)
    header = {"agent": "v4", "options": toy_v4.tree(**SMALL), "step": 0, "updates": 0, "seed": 0}
    header |= {"spaces": spaces.to_json(toy_v4.seen()), "world": toy_v4.WORLD, "phase": phase}
    checkpoint.save(path, params.values, header)
    return path


def measured(model, data):
    clips = foreseen.draw(data, OPTIONS, CONTEXT)
    return foreseen.measure(model, clips, OPTIONS, CONTEXT), clips


def test_a_perfect_model_reaches_the_ceiling(data):
    model = Planted(toy_v4.params(**SMALL))
    clips = foreseen.draw(data, OPTIONS, CONTEXT)
    z = model.latents(clips["image"])
    model.known = {np.asarray(clip[:CONTEXT]).tobytes(): clip[CONTEXT:] for clip in z}
    found = foreseen.measure(model, clips, OPTIONS, CONTEXT)
    for name in ("error", "ssim", "latent", "sharpness"):
        np.testing.assert_array_equal(found["k2"][name], found["ceiling"][name])
    assert scores.decibel(found["k2"]["error"].mean()) == 100
    assert told.sweep(found)[2]["spread"] == pytest.approx(1)


def test_a_model_that_repeats_the_last_frame_is_at_that_floor(data):
    found, clips = measured(Planted(toy_v4.params(**SMALL)), data)
    np.testing.assert_array_equal(found["k2"]["error"], found["repeat"]["error"])
    truth = clips["image"] / 255.0
    floor = np.square(truth[:, CONTEXT - 1 : CONTEXT] - truth[:, CONTEXT:]).mean((2, 3, 4))
    np.testing.assert_allclose(found["repeat"]["error"], floor, rtol=1e-5)
    average = truth.mean((0, 1))
    np.testing.assert_allclose(
        found["mean"]["error"], np.square(average - truth[:, CONTEXT:]).mean((2, 3, 4)), rtol=1e-5
    )


def test_what_ignores_actions_has_a_ratio_of_one_and_what_uses_them_has_not(data):
    params = toy_v4.params(**SMALL)
    quality, _ = measured(Planted(params), data)
    assert foreseen.ratios(quality, "k2") == dict.fromkeys(foreseen.HIDDEN, 1.0)
    deaf = {
        name: value * 0 if name == "dyn/action/table" else value
        for name, value in params.values.items()
    }
    quality, _ = measured(Foresight(type(params)(deaf, params.config)), data)
    assert foreseen.ratios(quality, "k2") == pytest.approx(dict.fromkeys(foreseen.HIDDEN, 1.0))
    quality, _ = measured(Foresight(params), data)
    assert all(abs(ratio - 1) > 1e-4 for ratio in foreseen.ratios(quality, "k2").values())


def test_hidden_actions_are_the_same_ones_elsewhere():
    actions = np.arange(12).reshape(3, 4)
    found = foreseen.hidden(actions, 0)
    np.testing.assert_array_equal(found["across"], actions[[2, 0, 1]])
    np.testing.assert_array_equal(np.sort(found["time"], 1), actions)
    assert (found["time"] != actions).any()


def test_flow_floors_are_those_of_gaussian_data():
    units = np.random.default_rng(0).standard_normal((20000, 2)) * [1, 0.5]
    found = flow.floors(units, [0.0, 0.5, 0.75])
    for tau, floor in ((0.0, 1.0), (0.5, 0.5), (0.75, 0.1)):
        assert found[tau][1] == pytest.approx(floor)
        one, half = (v * (1 - tau) ** 2 / ((1 - tau) ** 2 + tau**2 * v) for v in (1, 0.25))
        assert found[tau][0] == pytest.approx((one + half) / 2, rel=0.03)


class Exact(Planted):
    """Predicts every frame exactly, whatever the noise."""

    def clean(self, z, action, known, keys, level, step):
        return z[:, -1], z[:, -1]

    def bootstrap(self, z, action, known, keys, level, step):
        return jnp.zeros((len(z), 2))


def test_flow_errors_of_an_exact_model_are_zero_and_copying_costs_the_change(data):
    rows = flow.windows(data, OPTIONS, CONTEXT)
    found = flow.measure(Exact(toy_v4.params(**SMALL)), rows, 0)
    assert set(found["flow"]) == {0.0, 0.5} and not any(found["flow"].values())
    assert set(found["bootstrap"]) == {1.0}
    images = rows["image"] / 255.0
    change = np.square(images[:, -1] - images[:, -2]).mean()
    assert found["copy"] == pytest.approx(change, rel=1e-5)
    assert rows["known"][:, -1].all()


def test_the_bootstrap_error_stands_beside_that_of_a_model_without_shortcuts(data):
    rows = flow.windows(data, OPTIONS, CONTEXT)
    params = toy_v4.params(**SMALL)
    found = flow.measure(Foresight(params), rows, 0)
    assert found["plain"][1.0] != found["bootstrap"][1.0] > 0
    deaf = {
        name: value * 0 if name == "dyn/shortcut/step" else value
        for name, value in params.values.items()
    }
    found = flow.measure(Foresight(type(params)(deaf, params.config)), rows, 0)
    assert found["plain"][1.0] == found["bootstrap"][1.0] > 0


def test_auroc_pearson_and_calibration_on_known_values():
    assert scores.auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == 0.75
    assert scores.auroc([1, 1, 1, 1], [0, 1, 0, 1]) == 0.5
    assert np.isnan(scores.auroc([1, 2], [0, 0]))
    assert np.isnan(judged.of_reward(np.zeros(0), np.zeros(0))["pearson"])
    expected = np.array([0.0] * 50 + [1.0] * 50)
    found = judged.of_reward(expected, expected)
    assert (found["auroc"], found["calibration_error"]) == (1, 0)
    assert found["pearson"] == pytest.approx(1)
    off = judged.of_reward(expected + 0.25, expected)
    assert off["calibration_error"] == pytest.approx(0.25)
    end = judged.of_end(np.array([0.0, 0.1, 0.9]), np.array([False, False, True]))
    assert (end["auroc"], end["ends"], end["rate"]) == (1, 1, pytest.approx(1 / 3))


def test_every_frame_is_judged_once(data):
    rows = judged.windows(data, OPTIONS | {"windows": 10_000}, CONTEXT)
    assert rows["counts"].sum() == data.length.sum()
    assert (rows["is_terminal"] & rows["counts"]).sum() == data.is_terminal.sum()


def test_frechet_distance_is_that_of_gaussians():
    rng = np.random.default_rng(0)
    cloud = rng.standard_normal((5000, 3))
    assert scores.frechet(cloud, cloud) == pytest.approx(0, abs=1e-9)
    assert scores.frechet(cloud, cloud + [1, 2, 0]) == pytest.approx(5)
    wide = cloud * 3  # (3 - 1)^2 per axis of variance one
    assert scores.frechet(cloud, wide) == pytest.approx(4 * cloud.var(0, ddof=1).sum(), rel=0.01)


def test_films_that_stand_still_are_farther_from_real_ones_than_other_real_ones():
    steps = np.random.default_rng(0).standard_normal((200, 16, 6)).cumsum(1)
    found = drift.distances(steps, steps[:50])
    assert found["other real"] < found["still"] and found["free"] < found["still"]


def make(folder, checkpoint, data, **flags):
    names = {name: folder / f"{name}.out" for name in ("scores", "steps", "clips")}
    options = {f"world_model.{name}": value for name, value in (OPTIONS | flags).items()}
    evaluate.main(checkpoint, data.path, **names, work=folder / "work", overrides=options)
    return names


@pytest.fixture(scope="module")
def made(tmp_path_factory, saved, data):
    return make(tmp_path_factory.mktemp("made"), saved, data)


def test_the_same_evaluation_gives_the_same_bytes(made, saved, data, tmp_path):
    for name, path in make(tmp_path, saved, data).items():
        assert path.read_bytes() == made[name].read_bytes()


def test_clips_are_those_of_the_data_at_every_checkpoint(made, data, tmp_path):
    _, clips = trajectory.read_log(made["clips"], "world_model_clips")
    assert clips["row"].unique().tolist() == [*evaluate.films.ROWS]
    assert clips.groupby(["clip", "row"]).size().tolist() == [9] * 10
    seen = foreseen.draw(data, OPTIONS, CONTEXT)["image"]
    for (clip, row), part in clips.groupby(["clip", "row"]):
        images = [png.decode(image) for image in part["image"]]
        assert part["step"].tolist() == list(range(-3, 6))
        if row == "truth":
            np.testing.assert_array_equal(images, seen[clip])
            assert part["reward"].isna().all()
        if row == "policy":
            assert part["reward"].notna().sum() == OPTIONS["horizon"]
    early = make(tmp_path, save(tmp_path / "early", "dynamics"), data)
    _, others = trajectory.read_log(early["clips"], "world_model_clips")
    truth = [table[table["row"] == "truth"]["image"].tolist() for table in (clips, others)]
    assert truth[0] == truth[1]
    found = files.read_json(early["scores"])
    assert found["not_yet"] and "heads" not in found and "policy" not in set(others["row"])


def test_scores_stand_beside_floor_ceiling_or_criterion(made):
    found = files.read_json(made["scores"])
    assert not found["not_yet"] and len(found["notes"]) == 5
    assert "looks back over 3 frames" in found["notes"][-1]
    names = [row["score"] for row in found["summary"]]
    assert len(names) == len(set(names))
    alone = {row["score"] for row in found["summary"] if row["chance_name"] is None}
    assert alone == {"share of saturated latents"}
    _, table = trajectory.read_log(made["steps"], "world_model")
    assert {"psnr", "latent", "flow", "drift", "calibration"} <= set(table["panel"])


@pytest.mark.parametrize(
    "flags, words",
    [({"clips": 1}, "at least 2"), ({"horizon": 0}, "above zero"), ({"horizon": 40}, "no episode")],
)
def test_what_cannot_be_evaluated_is_refused(flags, words, saved, data, tmp_path):
    with pytest.raises(Refused, match=words):
        make(tmp_path, saved, data, **flags)


def test_data_of_other_actions_are_refused(saved, tmp_path):
    path = toy_v4.write(tmp_path / "d.parquet", action=toy_v4.CONTINUOUS)
    other = Episodes(path, tmp_path / "work")
    with pytest.raises(Refused, match="holds actions"):
        make(tmp_path, saved, other)


def test_the_command_knows_its_flags():
    flags = ["--checkpoint", "c", "--test", "t", "--scores", "s", "--steps", "p", "--clips", "q"]
    found, _ = cli.parse(evaluate.main, [*flags, "--world_model.clips", "3"])
    assert found["overrides"] == {"world_model.clips": 3}


def test_figures_and_films_are_drawn_from_the_tables(made, tmp_path, monkeypatch):
    monkeypatch.setattr(plot_world_model.cli, "options", lambda spec: {})
    names = inspect.signature(plot_world_model.main).parameters
    figures = {name: tmp_path / f"{name}.svg" for name in names if name not in ("spec", *made)}
    figures["clip_video"] = tmp_path / "clip_video.gif"
    plot_world_model.main(None, made["steps"], made["clips"], **figures)
    with Image.open(figures.pop("clip_video")) as film:
        assert film.n_frames == 9
    for path in figures.values():
        assert path.read_text().rstrip().endswith("</svg>")
        assert path.with_suffix(".png").stat().st_size > 1000
