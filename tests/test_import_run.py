"""A run of the authors' implementation, or of a fork, becomes a checkpoint that acts."""

import itertools
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import dreamer
from dreamer import (
    checkpoint,
    foreign,
    foreign_logs,
    foreign_names,
    import_run,
    options,
    record,
    trajectory,
)
from jobs.errors import Refused
from tests import foreign_run

ROOT = Path(__file__).parent.parent
REFERENCE = Path(os.environ.get("DREAM_ATLAS_REFERENCE", ROOT.parent / "shared/data"))
PLAIN, TOLD = foreign_run.parameters(False), foreign_run.parameters(True)
INCLUDED = {"agent": {"include_position": True}}


def imported(folder, values=PLAIN, settings=None, **more):
    """The checkpoint made of a run directory with these parameters and settings."""
    run = foreign_run.save(folder / "run", values, settings)
    import_run.main(folder / "checkpoint.safetensors", run, **more)
    return folder / "checkpoint.safetensors"


def test_every_parameter_is_imported_and_nothing_of_the_optimiser(tmp_path):
    header, values = checkpoint.load(imported(tmp_path))
    assert values.keys() == PLAIN.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(value, PLAIN[name])
    assert (header["step"], header["updates"], header["seed"]) == (14649, 5, 3)
    assert header["imported"]["run"] == "run"
    assert header["imported"]["checkpoint"] == foreign_run.STAMP


def test_an_imported_agent_acts(tmp_path):
    agent = dreamer.load(imported(tmp_path))
    assert 0 <= agent.act({"image": np.zeros((64, 64, 3), np.uint8)}) < 17


def test_importing_twice_gives_equal_bytes(tmp_path):
    first = imported(tmp_path)
    import_run.main(tmp_path / "again.safetensors", tmp_path / "run")
    assert first.read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_settings_become_ours(tmp_path):
    found = checkpoint.load(imported(tmp_path))[0]["options"]
    assert found["dyn"] | {"deter": 8, "hidden": 3, "classes": 4} == found["dyn"]
    assert found["run"]["steps"] == 1_100_000 and found["replay"]["size"] == 5_000_000
    assert found["opt"]["lr"] == 4e-5 and found["opt"]["wd"] == 0.0
    assert found["env"]["crafter"]["fixed_seed"] is False  # a new world each episode, as published
    assert found["enc"]["keys"] == found["dec"]["keys"] == "^image$"


def test_an_agent_that_was_told_its_position_is_given_it_and_recordings_say_so(tmp_path):
    settings = {"env": {"crafter": {"fixed_seed": True, "area": [32, 32]}}} | INCLUDED
    path = imported(tmp_path, TOLD, settings)
    agent, image = dreamer.load(path), np.zeros((64, 64, 3), np.uint8)
    assert agent.options["enc"]["keys"] == "^(image|player_pos)$"
    with pytest.raises(Refused, match="lacks player_pos"):
        agent.act({"image": image})
    agent.act({"image": image, "player_pos": np.array([3, 4], np.float32)})
    overrides = {"record.episodes": 1, "record.envs": 1}
    record.main(path, tmp_path / "trajectory.parquet", overrides=overrides)
    assert trajectory.header(tmp_path / "trajectory.parquet")["told_position"] is True


def test_the_position_that_an_agent_is_told_is_its_own(tmp_path):
    """What the encoder gets at each step is where the recording says that the agent was."""
    settings = {"env": {"crafter": {"fixed_seed": True, "area": [32, 32]}}} | INCLUDED
    agent = dreamer.load(imported(tmp_path, TOLD, settings))
    env = record.vector.build("crafter", agent.options["env"]["crafter"], 3, 3, 0)
    seen, info = env.reset()
    for action in (0, 1, 2, 3, 4, 4, 2):
        np.testing.assert_array_equal(seen["player_pos"], info["position"])
        seen, *_, info = env.step(action)


def test_a_position_that_only_the_encoder_sees_is_known_from_the_config(tmp_path):
    values = {name: value for name, value in TOLD.items() if "/vec/" not in name}
    values = {name: value for name, value in values.items() if not name.startswith("dec/mlp")}
    found = checkpoint.load(imported(tmp_path, values, INCLUDED))[0]["options"]
    assert (found["enc"]["keys"], found["dec"]["keys"]) == ("^(image|player_pos)$", "^image$")
    with pytest.raises(Refused, match="encodes 2 numbers beside the image.*cannot be known"):
        imported(tmp_path / "unknown", values)


def test_an_agent_without_position_is_not_told(tmp_path):
    path = imported(tmp_path)
    assert "player_pos" not in checkpoint.load(path)[0]["spaces"]["observation"]
    assert record._told(dreamer.load(path)) is False


def renamed(old, new):
    return {name.replace(old, new): value for name, value in TOLD.items()}


def resized(name, shape):
    return {**PLAIN, name: np.zeros(shape, np.float32)}


@pytest.mark.parametrize(
    "values, sentence",
    [
        (renamed("player_pos", "compass"), "decodes the observation compass .2 numbers., which"),
        (renamed("player_pos/pred", "player_pos/logits"), "player_pos .2 classes., which"),
        (resized("enc/cnn0/kernel", (5, 5, 6, 4)), "enc/cnn0/kernel .5, 5, 6, 4.: it works with 6"),
        (resized("enc/mlp0/kernel", (9, 8)), "encodes 9 numbers beside the image"),
        (foreign_run.parameters(False, 6), "6 actions, but Crafter has 17"),
        (resized("dyn/obs0/kernel", (3, 3)), r"1 of \d+ parameters.*obs0/kernel .3, 3. not .136"),
        (resized("dyn/extra/kernel", (2, 2)), "dyn/extra/kernel .2, 2. not absent"),
        (resized("enc/cnn0/kernel", ()), r"enc/cnn0/kernel \[\], but it has 4 dimensions"),
        (resized("enc/mlp0/kernel", (3,)), r"enc/mlp0/kernel \[3\], but it has 2 dimensions"),
        (resized("pol/head/action/logits/kernel", (3,)), r"kernel \[3\], but it has 2 dimensions"),
        (resized("dec/vec/x/pred/kernel", (3,)), r"kernel \[3\], but it has 2 dimensions"),
        ({**PLAIN, "a": [[1], [2, 3]]}, "the parameter a whose steps differ in shape"),
        ({**PLAIN, "a": "text"}, "the parameter a that is no array of numbers"),
        ({**PLAIN, "enc/cnn0/bias": np.full(4, np.nan)}, "NaN or infinity in enc/cnn0/bias: its"),
        ({**PLAIN, "enc/cnn0/bias": np.zeros(4)}, "enc/cnn0/bias is float64, not float32"),
        ({}, "no pol/head/action/logits/kernel"),
    ],
)
def test_parameters_that_do_not_fit_are_named(tmp_path, values, sentence):
    with pytest.raises(Refused, match=sentence):
        imported(tmp_path, values)
    assert not (tmp_path / "checkpoint.safetensors").exists()


@pytest.mark.parametrize(
    "settings, sentence",
    [
        (
            {"agent": {"dyn": {"rssm": {"imglayers": 1}}}},
            "agent.dyn.rssm.imglayers is 1, but only 2",
        ),
        ({"agent": {"dyn": {"rssm": {"gru_act": "relu"}}}}, "gru_act is 'relu', but only 'tanh'"),
        ({"agent": {"enc": {"simple": {"act": "mish"}}}}, "enc.act is 'mish', but takes one of"),
        ({"agent": {"enc": {"typ": "vit"}}}, "agent.enc.typ is 'vit', but only 'simple'"),
        ({"agent": {"attention": 4}}, "agent.attention is 4, and what it does is not known"),
        (
            {"env": {"crafter": {"egocentric_view": 9}}},
            "env.crafter.egocentric_view is 9, and what",
        ),
        (
            {"env": {"crafter": {"size": [96, 96]}}},
            "env.crafter.size is .96, 96., but only .64, 64.",
        ),
        ({"task": "atari_pong"}, "task is 'atari_pong', but only 'crafter_reward'"),
        ({"run": {"steps": "many"}}, "run.steps to 'many', but it is a whole number"),
        ({"run": {"steps": float("inf")}}, "run.steps to inf, but it is a whole number"),
        ({"seed": "abc"}, "seed to 'abc', but it is a whole number"),
        ({"seed": [1]}, r"seed is \[1\], but takes a whole number"),
        ({"seed": None}, "seed to None, but it is a whole number"),
        ({"agent": {"enc": {"simple": {"mults": []}}}}, r"enc.mults is \[\], but takes whole"),
        ({"agent": {"dyn": {"rssm": {"deter": 4 * 10**12}}}}, "dyn.deter is 4000000000000, but"),
        ({"agent": {"enc": {"simple": {"layers": 10**6}}}}, "enc.layers is 1000000, but takes 1"),
        ({"env": {"crafter": {"area": [10**8, 10**8]}}}, "a side takes at most 1024 tiles"),
        ({"run": {"envs": 10**9}}, "replay.size is 5000000, but 1000000000 environments"),
        ({"replay": {"size": 1}}, "replay.size is 1, but 1 environments"),
        ({"replay_context": 0}, "replay.context is 0, but"),
        ({"jax": {"compute_dtype": "float16"}}, "compute_dtype is 'float16', but takes one of"),
        ({"agent": {"include_position": "yes"}}, "include_position is 'yes', but takes one of"),
    ],
)
def test_settings_that_change_what_it_computes_are_refused_by_name(tmp_path, settings, sentence):
    with pytest.raises(Refused, match=sentence):
        imported(tmp_path, settings=settings)


def test_settings_of_the_machine_and_those_switched_off_do_not_matter(tmp_path):
    off = {
        "agent": {"attention": False, "masks": 0, "report_dream_feats": True},
        "scratch_dir": "x",
    }
    assert imported(tmp_path, settings=off).is_file()


def test_settings_of_training_alone_are_told_not_refused(tmp_path):
    settings = {"agent": {"l1_enc": 1e-3, "rollout_k": 0, "repl_loss": {"slowtar": True}}}
    header, _ = checkpoint.load(imported(tmp_path, settings=settings))
    told = ["agent.l1_enc: 0.001", "agent.repl_loss.slowtar: True"]
    assert header["imported"]["trained_with"] == told


def test_another_checkpoint_is_taken_by_its_name(tmp_path):
    run = foreign_run.save(tmp_path / "run", PLAIN)
    other = {name: value + 1 for name, value in PLAIN.items()}
    foreign_run.save(tmp_path / "other", other, stamp="early")
    (tmp_path / "other/ckpt/early").rename(run / "ckpt/early")
    import_run.main(tmp_path / "c.safetensors", run, checkpoint="early")
    values = checkpoint.load(tmp_path / "c.safetensors")[1]
    np.testing.assert_array_equal(values["enc/cnn0/bias"], PLAIN["enc/cnn0/bias"] + 1)
    with pytest.raises(Refused, match=f"there are the checkpoints {foreign_run.STAMP}, early"):
        import_run.main(tmp_path / "c.safetensors", run, checkpoint="late")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(Refused, match="config.yaml is not in it"):
        import_run.main(tmp_path / "c.safetensors", tmp_path)
    (tmp_path / "config.yaml").write_text("a: [1")
    with pytest.raises(Refused, match="latest does not exist"):
        import_run.main(tmp_path / "c.safetensors", tmp_path)
    with pytest.raises(Refused, match="config.yaml is not YAML"):
        foreign.tree(tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_text("a: 1")
    with pytest.raises(Refused, match="lacks agent.dyn.rssm.deter"):
        foreign.tree(tmp_path / "config.yaml")


def test_latest_cannot_lead_out_of_the_run(tmp_path):
    run = foreign_run.save(tmp_path / "run", PLAIN)
    (run / "ckpt/latest").write_text("../../elsewhere")
    with pytest.raises(Refused, match="'../../elsewhere', which is no checkpoint's name"):
        import_run.main(tmp_path / "c.safetensors", run)


@pytest.mark.parametrize("content", [[1], {"params": [1]}, {"weights": {}}])
def test_a_pickle_without_parameters_is_refused(tmp_path, content):
    run = foreign_run.save(tmp_path / "run", PLAIN)
    (run / "ckpt" / foreign_run.STAMP / "agent.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(Refused, match="no parameters by name"):
        import_run.main(tmp_path / "c.safetensors", run)


@pytest.mark.parametrize("updates", [[1, 2], float("nan"), -3, True])
def test_a_count_of_updates_that_is_none_is_refused(tmp_path, updates):
    run = foreign_run.save(tmp_path / "run", PLAIN)
    content = {"params": PLAIN, "counters": {"updates": updates}}
    (run / "ckpt" / foreign_run.STAMP / "agent.pkl").write_bytes(pickle.dumps(content))
    with pytest.raises(Refused, match="updates, which is no whole number"):
        import_run.main(tmp_path / "c.safetensors", run)


@pytest.mark.parametrize("content", [-5, True, 2.5, "x", 10**400])
def test_a_count_of_steps_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "step.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(Refused, match="holds no number of steps|a whole number of 1329 bits"):
        import_run.step(path)


@pytest.mark.parametrize("stamp", [f"../ckpt/{foreign_run.STAMP}", "..", ".", "", "a/b", "a\0b"])
def test_a_stamp_is_one_name(tmp_path, stamp):
    run = foreign_run.save(tmp_path / "run", PLAIN)
    with pytest.raises(Refused, match="which is no checkpoint's name"):
        import_run.main(tmp_path / "c.safetensors", run, checkpoint=stamp)


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
    for old, new in itertools.pairwise("abcdefghijklmno")
)
SETTINGS = {
    "aliases of aliases": LAUGHS,
    "an alias of itself": f"a: &a [{', '.join(['*a'] * 1000)}]",
    "merged twice": "a: &a {x: 1}\n"
    + "".join(f"m{i}: &m{i} {{<<: [*{'a' if not i else f'm{i - 1}'}, "
              f"*{'a' if not i else f'm{i - 1}'}]}}\n" for i in range(40)),
    "depth": "[" * 100_000,
    "a long number": "a: " + "9" * 10_000,
    "a wrong tag": "a: !!bool x",
    "a date that is none": "a: 2001-99-99",
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_are_hostile_are_refused_at_once(tmp_path, name):
    (tmp_path / "config.yaml").write_text(SETTINGS[name])
    with pytest.raises(Refused, match="is not YAML"):
        foreign.read(tmp_path / "config.yaml")


def test_an_alias_is_read(tmp_path):
    more = "agent: {dyn: {rssm: {deter: 8}}, enc: {simple: {depth: 2}}}\ntask: t\n"
    (tmp_path / "config.yaml").write_text(more + "a: &a [1, 2]\nb: *a\n")
    assert foreign.read(tmp_path / "config.yaml")["b"] == [1, 2]


@pytest.mark.parametrize(
    "line",
    [
        *('{"step": 1e999}', '{"step": NaN}', "[" * 100_000, "[1]", '{"step": -1}'),
        *(f'{{"step": {10**23}}}', f'{{"step": 1, "train/loss/rew": {10**400}}}'),
    ],
    ids=lambda line: line[:20],
)
def test_a_line_that_is_none_of_a_log_is_refused(tmp_path, line):
    (tmp_path / "metrics.jsonl").write_text(line)
    with pytest.raises(Refused, match="line 1, is no line of a training log"):
        foreign_logs.read(tmp_path / "metrics.jsonl")


LOG = """{"step": 81, "episode/score": 1.1, "episode/length": 80.0}
{"step": 90, "train/loss/image": 496.8, "train/loss/rew": 3.0, "train/opt/updates": 40.5, "fps": 3}
{"step": 249, "episode/score": 2.1}
"""


def test_the_training_log_becomes_tables(tmp_path):
    run = foreign_run.save(tmp_path / "run", PLAIN)
    (run / "metrics.jsonl").write_text(LOG)
    tables = {kind: tmp_path / f"{kind}.parquet" for kind in ("metrics", "episodes")}
    import_run.main(tmp_path / "c.safetensors", run, **tables)
    _, metrics = trajectory.read_log(tables["metrics"], "metrics")
    _, episodes = trajectory.read_log(tables["episodes"], "episodes")
    assert metrics.to_dict("records") == [
        {"step": 90, "updates": 40.5, "loss/rec": 496.8, "loss/rew": 3.0}
    ]
    assert episodes["score"].tolist() == [1.1, 2.1] and episodes["step"].tolist() == [81, 249]
    (run / "metrics.jsonl").write_text(LOG + "oops\n")
    with pytest.raises(Refused, match="metrics.jsonl, line 4, is no line of a training log"):
        import_run.main(tmp_path / "c.safetensors", run)


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=f"there is no reference data in {REFERENCE}")
def test_the_reference_run_is_imported_with_every_parameter_as_published(tmp_path):
    import_run.main(tmp_path / "c.safetensors", REFERENCE / "reference_run")
    values = checkpoint.load(tmp_path / "c.safetensors")[1]
    with np.load(REFERENCE / "reference_run/params.npz") as wanted:
        assert set(values) == set(wanted.files)
        for name in wanted.files:
            np.testing.assert_array_equal(values[name], wanted[name], strict=True)
    assert (
        dreamer.load(tmp_path / "c.safetensors").act({"image": np.zeros((64, 64, 3), np.uint8)})
        < 17
    )


def test_every_name_of_a_setting_has_one_meaning():
    known = options.flatten(options.resolve())
    assert set(foreign_names.SAME.values()) <= set(known)
    tables = (foreign_names.SAME, foreign_names.FIXED, foreign_names.TRAINING)
    assert sum(map(len, tables)) == len({name for table in tables for name in table})
