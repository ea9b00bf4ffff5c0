"""How much does each layer know about where the agent is?

A decoder is fitted from each layer's activity to the agent's tile and tested on whole episodes
that it has not seen. The same is done for what needs no trained network: an untrained one, images,
a clock, past actions.
"""

import shutil
from functools import partial
from hashlib import sha256
from pathlib import Path

from analysis import (
    chance,
    decode,
    decoders,
    geodesic,
    parts,
    planning,
    position_notes,
    position_scores,
    position_tables,
    recording,
    sources,
)
from dreamer import trajectory as contract
from jobs import cli, files

TRAINED, UNTRAINED = "trained", "untrained"
NO_CONTROL = "Untrained-network control: not yet computed."


def main(
    spec: Path,
    trajectory: Path,
    test: Path,
    scores: Path,
    steps: Path,
    decoders: Path,
    work: Path,
    untrained: Path | None = None,
    untrained_test: Path | None = None,
):
    """Decode position from every layer; write scores, a row per decoded step, and the decoders.

    `untrained` and `untrained_test` repeat the two recordings with a network of fresh parameters.
    """
    options = cli.options(spec)
    planning.refuse_leaky_elsewhere(options)
    given = {"trajectory": trajectory, "test": test}
    control = {"trajectory": untrained, "test": untrained_test}
    given |= {f"untrained_{name}": path for name, path in control.items() if path}
    inputs = {name: files.sha256(path) for name, path in given.items()}
    key = sha256(files.canonical([files.read_json(spec), inputs]).encode()).hexdigest()[:16]
    outputs = {"scores": scores, "steps": steps, "decoders": decoders}
    plans = networks(trajectory, test, control, options)
    decode_all(options, plans, inputs, outputs, work / key)
    shutil.rmtree(work / key, ignore_errors=True)
    if work.is_dir() and not any(work.iterdir()):
        work.rmdir()


def networks(trajectory, test, control, options):
    """{network: Plan} of the trained network and, where it was recorded, of the untrained one."""
    known = {"trajectory": recording.load(trajectory), "test": recording.load(test)}
    plans = {TRAINED: planning.make(*known.values(), options)}
    if control["trajectory"] and len(plans[TRAINED].rows):
        plans[UNTRAINED] = planning.twin(plans[TRAINED], control, known)
    return plans


def decode_all(options, plans, inputs, outputs, work):
    """Decode each representation, or take it from `work` where it is finished, and write all."""
    plan = plans[TRAINED]
    wanted, beside, lacks = sources.listed(plan, options)
    found = {
        network: _decode(own, _own(wanted, network, len(plan.rows)), options, work / network)
        for network, own in plans.items()
    }
    known = {
        network: {name: item for name, item in items.items() if item}
        for network, items in found.items()
    }
    rows, levels, table = tables(plans, known, options)
    facts = position_tables.facts(plan, options)
    notes = position_notes.sentences(plan, found[TRAINED], beside, rows, options)
    record = {
        "summary": rows,
        "notes": [
            *notes,
            *lacks,
            *position_notes.unseen(facts["unseen_share"]),
            *position_notes.outside(table, plan.test.header["area"]),
        ],
        "not_yet": [] if UNTRAINED in plans or not len(plan.rows) else [NO_CONTROL],
        "chance": levels,
        "controls": beside,
        "details": {name: details for name, (_, _, details) in known[TRAINED].items()},
        UNTRAINED: {name: item[2] for name, item in known.get(UNTRAINED, {}).items()},
        "told_position": recording.told(plan.train.header),
        **facts,
    }
    about = {"options": options, "inputs": inputs, "area": plan.train.header["area"]}
    about["agent"] = plan.train.header.get("agent")
    kept = {name: item[1] for name, item in known[TRAINED].items() if not wanted[name].control}
    occupancy = chance.tally(plan.train.position[plan.rows])
    decoders.save(outputs["decoders"], kept, about | {"occupancy": occupancy})
    contract.write_log(outputs["steps"], "position_steps", about, position_tables.join(table))
    files.write_json(outputs["scores"], record)


def tables(plans, known, options):
    """Summary rows, chance levels and step tables of the decoded representations."""
    plan = plans[TRAINED]
    if not plan.folds:
        return [], [], []
    truth = plan.test.position[plan.tested]
    ground = geodesic.grounds(truth, plan.test.episode[plan.tested], plan.test.walkable)
    shown, levels = position_scores.levels(plan, ground, options["seed"])
    rows, table = {network: [] for network in (TRAINED, UNTRAINED)}, []
    for network, items in known.items():
        for name, (columns, _, details) in items.items():
            for method, values in columns.items():
                made = (name, method, values)
                rows[network] += position_scores.summary(*made, details, plan, ground, shown)
                table.append(position_tables.steps(plan, network, *made, ground))
    return position_scores.controlled(rows[TRAINED], rows[UNTRAINED]), levels, table


def _own(wanted, network, steps):
    """What is decoded from a network: all, or the layers alone where it is not the trained one."""
    if not steps:
        return {}
    if network == TRAINED:
        return wanted
    return {name: source for name, source in wanted.items() if not source.control}


def _decode(plan, wanted, options, work):
    return {
        name: parts.finished(work, name, partial(decode.evaluate, plan, source, options))
        for name, source in wanted.items()
    }


if __name__ == "__main__":
    cli.run(main)
