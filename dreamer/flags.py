"""What the training commands' flags may not say together."""

from jobs.errors import Refused


def leave_out(reason, flags):
    """Refuse the flags {name: value or None} that were given though `reason` decides them."""
    given = [name for name, value in flags.items() if value is not None]
    if given:
        raise Refused(f"{reason}, so leave out --{', --'.join(given)}")


def snapshots(wanted, given, counted):
    """{step: path} of the wanted steps from paths <step>.safetensors; `counted` names a step."""
    named = {item.stem: item for item in given or ()}
    if sorted(named) != sorted(map(str, wanted)):
        raise Refused(
            f"option run.snapshots asks for {wanted}, but --snapshots gives {sorted(named)}; "
            f"give one path <{counted}>.safetensors for each"
        )
    return {step: named[str(step)] for step in wanted}
