"""Names of settings in config.yaml of the authors' implementation, and what they are here."""

NETS = ("depth", "mults", "layers", "units", "act")
CORE = ("deter", "hidden", "stoch", "classes", "blocks", "unimix", "free_nats", "act")
HEADS = {"rewhead": "rew", "conhead": "con", "policy": "pol", "value": "val"}
HEAD = {"rew": ("bins",), "con": (), "pol": ("minstd", "maxstd"), "val": ("bins",)}
OPT = ("lr", "agc", "beta1", "beta2", "eps", "warmup", "wd")
LOSSES = ("rec", "rew", "con", "dyn", "rep", "policy", "value", "repval")
WORLD = ("area", "fixed_seed", "random_spawn", "disable_mobs")

# Their name: ours.
SAME = {
    **{f"agent.{part}.simple.{name}": f"{part}.{name}" for part in ("enc", "dec") for name in NETS},
    **{f"agent.dyn.rssm.{name}": f"dyn.{name}" for name in CORE},
    **{
        f"agent.{theirs}.{name}": f"{ours}.{name}"
        for theirs, ours in HEADS.items()
        for name in ("layers", "units", "act", *HEAD[ours])
    },
    **{f"agent.opt.{name}": f"opt.{name}" for name in OPT},
    **{f"agent.loss_scales.{name}": f"loss.{name}" for name in LOSSES},
    **{f"env.crafter.{name}": f"env.crafter.{name}" for name in WORLD},
    **{f"run.{name}": f"run.{name}" for name in ("steps", "envs", "train_ratio")},
    **{name: f"run.{name}" for name in ("batch_size", "batch_length")},
    "agent.imag_length": "imag.length",
    "agent.horizon": "imag.horizon",
    "agent.imag_loss.lam": "imag.lam",
    "agent.imag_loss.actent": "imag.entropy",
    "agent.slowvalue.rate": "slowval.rate",
    "agent.retnorm.rate": "retnorm.rate",
    "agent.retnorm.perclo": "retnorm.low",
    "agent.retnorm.perchi": "retnorm.high",
    "agent.retnorm.limit": "retnorm.floor",
    "replay.size": "replay.size",
    "replay.online": "replay.online",
    "replay_context": "replay.context",
}
# What a network here always computes.
FIXED = {
    **{f"agent.{part}.typ": "simple" for part in ("enc", "dec")},
    **{
        f"agent.{part}.simple.{name}": value
        for part in ("enc", "dec")
        for name, value in {"norm": "rms", "outer": False, "kernel": 5, "strided": False}.items()
    },
    "agent.enc.simple.symlog": True,
    "agent.dec.simple.bspace": 8,
    "agent.dyn.typ": "rssm",
    "agent.dyn.rssm.norm": "rms",
    "agent.dyn.rssm.imglayers": 2,
    "agent.dyn.rssm.obslayers": 1,
    "agent.dyn.rssm.dynlayers": 1,
    "agent.dyn.rssm.absolute": False,
    "agent.dyn.rssm.gru_act": "tanh",
    **{f"agent.{name}.norm": "rms" for name in HEADS},
    **{f"agent.{name}.output": "symexp_twohot" for name in ("rewhead", "value")},
    "agent.conhead.output": "binary",
    "agent.policy_dist_disc": "categorical",
    "env.crafter.size": [64, 64],
    "task": "crafter_reward",
}
# What may be set in one of these ways.
CHOICES = {
    "agent.include_position": (True, False),
    "jax.compute_dtype": ("float32", "bfloat16"),
}
# What training here always does; a difference is told, because the weights are as good.
TRAINING = {
    **dict.fromkeys(("agent.ac_grads", "agent.retnorm.debias"), False),
    **dict.fromkeys(("agent.imag_loss.slowtar", "agent.repl_loss.slowtar"), False),
    **dict.fromkeys(("agent.imag_loss.slowreg", "agent.repl_loss.slowreg"), 1.0),
    **{f"agent.{name}": True for name in ("reward_grad", "repval_loss", "repval_grad", "contdisc")},
    **{f"agent.{name}.impl": "none" for name in ("advnorm", "valnorm")},
    "agent.retnorm.impl": "perc",
    "agent.repl_loss.lam": 0.95,
    "agent.slowvalue.every": 1,
    "agent.imag_last": 0,
    "agent.opt.momentum": True,
    "agent.opt.schedule": "const",
    "replay.fracs.uniform": 1.0,
}
# Losses and masks of forks, which act while training alone.
ADDED = r"agent\.(l1_\w+|mask_\w+|rollout_\w+|loss_scales\.\w+)"
QUIET = (
    r".*\.(winit|outscale)|agent\.(report\w*|record_activations|probe_policy|seed_ablation\w*)"
    r"|agent\.(policy\.unimix|policy_dist_cont|opt\.anneal|(advnorm|valnorm)\.(rate|limit))"
    r"|env\.crafter\.(logs|use_seed)"
)
