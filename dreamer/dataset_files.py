"""Data sets from files that are there already, and back to .npz. T is steps of an episode."""

import hashlib

import numpy as np

from dreamer import npz, png, spaces, trajectory
from dreamer.columns import DATASET
from dreamer.dataset_sources import PLACES, Npz, Parquet
from jobs.errors import Refused


def write(paths, dataset, test, data, made):
    """Write the episodes of files, a share of them (`data.test_share`) to `test`."""
    found = [Npz(path) if path.suffix == ".npz" else Parquet(path) for path in paths]
    header = _header(found, data, made)
    total = sum(item.episodes for item in found)
    chosen = _chosen(total, data, dataset) if test else set()
    trajectory.write(dataset, header | {"split": "train"}, _columns(found, header, chosen, False))
    if test:
        trajectory.write(test, header | {"split": "test"}, _columns(found, header, chosen, True))


def export(dataset, path):
    """Write a data set as .npz; episodes that are shorter than the longest are padded."""
    source = Parquet(dataset)
    lengths = [source.file.metadata.row_group(index).num_rows for index in range(source.episodes)]
    action = source.spaces.action

    def items():
        for item in source:
            yield item | {"image": np.stack([png.decode(image) for image in item["image"]])}

    npz.write(path, items, len(lengths), max(lengths), source.image, source.width, action.classes)


def _columns(found, header, chosen, test):
    """{column: values} of the episodes that are in `chosen`, or of the others."""
    width, known, number = header["action_width"], {}, 0
    for place, source in enumerate(found):
        for item in source:
            if not test:
                _check_new(item, f"episode {number}", known)
            if (number in chosen) == test:
                yield _episode(item, number, place, width)
            number += 1


def _episode(item, number, place, width):
    count = len(item["reward"])
    step, images = np.arange(count), item["image"]
    action = item.get("action", np.full((count, width), np.nan) if width else np.full(count, -1))
    images = images if isinstance(images[0], bytes) else [png.encode(image) for image in images]
    return {name: item[name] for name in PLACES if name in item} | {
        **{"episode": np.full(count, number), "step": step, "policy": np.full(count, place)},
        "action": action if width else [None if one < 0 else one for one in action.tolist()],
        **{"reward": item["reward"], "image": images, "is_terminal": item["is_terminal"]},
        **{"is_first": step == 0, "is_last": step == count - 1},
    }


def _header(found, data, made):
    """What all files share; files of other images or actions are refused."""
    named = [item for item in found if item.spaces.action.classes or item.width]
    if not named:
        raise Refused(f"{found[0].path} holds no actions, and no other file says what they are")
    first = named[0]
    for item in found:
        if item.image != first.image or (item in named and item.spaces != first.spaces):
            raise Refused(
                f"{item.path} has {_words(item)}, but {first.path} has {_words(first)}; in "
                "one data set all have the same"
            )
    absent = {name for name in DATASET for item in found if name in item.world["absent"]}
    same = all(item.place == first.place for item in found)
    return {
        **{"kind": "dataset", "layers": {}, "absent": sorted(absent & set(PLACES))},
        **{"action_width": first.width, "spaces": spaces.to_json(first.spaces)},
        **(first.place if same else dict.fromkeys(first.place)),
        "world": first.world,
        "options": data,
        "policies": [{"name": "file", "file": item.path.name} for item in found],
        "provenance": made,
    }


def _words(item):
    action = item.spaces.action
    kind = (
        f"{action.classes} kinds of actions"
        if action.classes
        else f"{item.width} numbers as action"
    )
    return f"images of {' x '.join(map(str, item.image))} and {kind}"


def _chosen(total, data, dataset):
    """Numbers of the episodes to test on."""
    share = data["test_share"]
    count = max(1, round(share * total))
    if not 0 < share < 1 or count >= total:
        raise Refused(
            f"option data.test_share is {share}, but of {total} episodes some must be left for "
            f"{dataset} and some to test on"
        )
    return set(np.random.default_rng(data["seed"]).choice(total, count, replace=False).tolist())


def _check_new(item, name, known):
    """Refuse an episode that is there twice: it could be tested on what was trained on.

    Its images tell, in whatever kind of file and whether its actions are known or not.
    """
    images = (png.decode(one) if isinstance(one, bytes) else one for one in item["image"])
    key = hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in images)).digest()
    if key in known:
        raise Refused(f"{known[key]} and {name} of the files show the same images; leave one out")
    known[key] = name
