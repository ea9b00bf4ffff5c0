"""The training loop: step the environments, store the rows, update as often as the ratio says.

Environment steps count the rows that all environments gave, the first row of an episode included.
"""

from fractions import Fraction

import numpy as np

from dreamer import family, logged, logs, replay, spaces, state, video
from dreamer.driver import Driver
from dreamer.envs import vector
from dreamer.learner import Learner

LOGS = ("metrics", "episodes")
SHOWN = ("score", "length")  # of an episode on the board, beside what the environment tells


class Training:
    """A training in the environments `envs` whose replay and logs lie in `folder`."""

    def __init__(self, options, envs, folder, board, report):
        self.options, self.run, self.board, self.report = options, options["run"], board, report
        self.spaces = spaces.of(envs.single_observation_space, envs.single_action_space)
        self.world = vector.world(envs)
        module = family.load(options["agent"])
        self.replay = _replay(options, self.spaces, module, folder)
        self.learner = Learner(module, options, self.spaces, self.replay)
        carry = self.learner.placed(module.start(self.learner.params, envs.num_envs))
        self.driver = Driver(envs, self.learner.policy, carry, options["seed"])
        self.episodes = logs.Episodes(envs.num_envs, self.world["achievements"])
        self.logged = logged.Logged(envs.num_envs)
        self.lines = {name: logs.Lines(folder / f"{name}.jsonl") for name in LOGS}
        self.video = video.OpenLoop(module, self.spaces)
        self.step = 0
        smallest = envs.num_envs * self.replay.window
        self.start = max(self.run["learning_starts"], trained_rows(self.run), smallest)

    def save(self, store):
        """Keep everything needed to continue from here; before the first step that is nothing."""
        if not self.step:
            return
        facts, arrays = self.learner.save()
        arrays |= state.arrays("carry", self.driver.carry)
        facts = {"step": self.step, "learner": facts, "driver": self.driver.position()}
        facts["episodes"] = self.episodes.score, self.episodes.length
        facts["logged"] = self.logged.sums
        facts["logs"] = {name: lines.size() for name, lines in self.lines.items()}
        store.save(self.step, facts, arrays, self.replay)

    def restore(self, store):
        """Continue from the newest save, if there is one; log rows after it are cut."""
        facts, arrays = store.restore(self.replay) or ({"logs": dict.fromkeys(LOGS, 0)}, None)
        for name, lines in self.lines.items():
            lines.cut(facts["logs"][name])
        if arrays is None:
            return
        self.step = facts["step"]
        self.episodes.score, self.episodes.length = facts["episodes"]
        self.logged.sums = facts["logged"]
        self.learner.restore(facts["learner"], arrays)
        self.driver.carry = self.learner.placed(state.tree("carry", self.driver.carry, arrays))
        self.driver.resume(facts["driver"])

    def reached(self):
        """The last step that the logs tell of, saved or not."""
        return max(lines.last().get("step", 0) for lines in self.lines.values())

    def advance(self):
        """One step of all environments, and the updates that are due after it."""
        row = self.driver.step()
        self.replay.add(row)
        self.step += self.driver.count
        if self.replay.sampler.due:
            self.learner.survey(self.step)
        self.logged.add(row)
        for ended in self.episodes.add(self.step, row, self.driver.episode):
            ended |= self.logged.episode(ended["env"])
            self.lines["episodes"].add(ended)
            self.report.scores.append(ended["score"])
            shown = {
                f"episode/{name}": ended[name] for name in ended if name in SHOWN or "/" in name
            }
            self.board.scalars(self.step, shown)
        while self.learner.updates + self.learner.per_call <= self.due():
            self.learner.update(self.step)
            if self.learner.unlogged >= self.run["log_every"]:
                self.log()
        if self.learner.updates and self.passed(self.run["video_every"]):
            self.film()
        self.report.update(self.step, self.learner.updates, self.seconds())

    def due(self):
        """Updates that the ratio asks for up to now, exactly."""
        steps = max(0, self.step - self.start)
        return int(Fraction(str(self.run["train_ratio"])) * steps / trained_rows(self.run))

    def passed(self, every):
        """Whether the last step reached or passed a multiple of `every`; never if that is 0."""
        before = self.step - self.driver.count
        return bool(every) and self.step // every > before // every

    def log(self):
        """Write the mean of the metrics since the last row."""
        rows = self.learner.fetch()
        if rows:
            names = [name for name in rows[0] if name not in ("step", "updates")]
            means = {name: float(np.mean([row[name] for row in rows])) for name in names}
            means |= self.replay.measure()
            self.board.histogram(self.step, "replay/age", self.replay.draws.ages())
            self.replay.draws.clear()
            self.lines["metrics"].add({"step": self.step, "updates": self.learner.updates, **means})
            self.board.scalars(self.step, means)
            self.learner.clear()

    def film(self):
        """An open-loop prediction for TensorBoard."""
        frames = self.video.frames(self.learner.params, self.replay, self.step)
        if frames is not None:
            self.board.video(self.step, "open_loop", frames)

    def seconds(self):
        """Seconds spent so far on each part; sampler: on choosing what to learn from."""
        learner, sampler = self.learner.seconds, self.replay.seconds
        return {
            "env": self.driver.seconds["env"],
            "policy": self.driver.seconds["policy"] - learner["waiting"],
            "update": learner["update"] + learner["waiting"] - sampler["draw"] - sampler["learn"],
            "sampler": learner["survey"] + sum(sampler.values()),
        }


def trained_rows(run):
    """Steps trained on in one update."""
    return run["batch_size"] * run["batch_length"]


def _replay(options, seen, module, folder):
    run, settings = options["run"], options["replay"]
    kinds = replay.kinds(seen, module.layers(options, seen))
    return replay.Replay(
        folder,
        *kinds,
        envs=run["envs"],
        window=run["batch_length"] + settings["context"],
        settings=settings,
    )
