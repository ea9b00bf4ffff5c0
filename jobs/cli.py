"""Run a command: flags from a function's signature, sentences for errors, a provenance sidecar."""

import argparse
import inspect
import sys
import types
import typing
from pathlib import Path

import yaml

from jobs import sidecar, specs
from jobs.errors import Refused


def run(main, argv=None):
    """Call `main` with flags named after its parameters and leave the process.

    A parameter without default is a required flag. `overrides`, if `main` has it, collects every
    dotted flag (`--run.steps 100`) into a dict. Positional-only parameters are words without a
    flag. `--prov FILE` writes what made the outputs; `main` may return a dict of further facts for
    it (the device, say), or an exit code of its own.
    Exit codes: 2 for Refused and for files that cannot be used, 130 after an interruption.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    start = sidecar.clock()
    try:
        arguments, prov = parse(main, argv)
        facts = call(main, arguments)
        if prov:
            sidecar.write(prov, arguments, start, facts if isinstance(facts, dict) else {})
    except Refused as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.filename is None:
            raise
        print(f"error: {error.filename} cannot be used: {error.strerror}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(facts if isinstance(facts, int) else 0)


def call(main, arguments):
    """Call `main` with {parameter: value}."""
    parameters = inspect.signature(main).parameters
    words = [name for name, found in parameters.items() if found.kind is found.POSITIONAL_ONLY]
    flags = {name: value for name, value in arguments.items() if name not in words}
    return main(*[arguments[name] for name in words], **flags)


def options(spec):
    """The options in a spec file, after checking that it fits the code on disk."""
    return specs.read(spec)["options"]


def parse(main, argv):
    """Keyword arguments for `main` from `argv`, and the path given with --prov (or None)."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {_module(main)}", description=inspect.getdoc(main), allow_abbrev=False
    )
    parser.add_argument("--prov", type=Path, help="where to write what made the outputs")
    parameters = inspect.signature(main).parameters
    hints = typing.get_type_hints(main)
    for name, parameter in parameters.items():
        if name != "overrides":
            _add_flag(parser, name, parameter, hints.get(name, str))
    known, rest = parser.parse_known_args(argv)
    values = vars(known)
    prov = values.pop("prov")
    if "overrides" in parameters:
        values["overrides"] = _dotted(rest)
    elif rest:
        parser.error(f"unknown argument {rest[0]}")
    return values, prov


def _add_flag(parser, name, parameter, kind):
    required = parameter.default is inspect.Parameter.empty
    settings = {"required": required, "default": None if required else parameter.default}
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        kind = next(item for item in typing.get_args(kind) if item is not type(None))
    if typing.get_origin(kind) is list:
        settings |= {"nargs": "+" if required else "*", "type": typing.get_args(kind)[0]}
    elif kind is bool:
        settings = {"action": "store_true"}
    else:
        settings["type"] = kind
    if parameter.kind is parameter.POSITIONAL_ONLY:
        settings = {key: settings[key] for key in ("nargs", "type") if key in settings}
        parser.add_argument(name, **settings)
    else:
        parser.add_argument("--" + name.replace("_", "-"), **settings)


def _dotted(rest):
    """{'run.steps': 100} from ['--run.steps', '100']; a list is '[1, 2]' or several words."""
    found = {}
    while rest:
        flag, *rest = rest
        if not flag.startswith("--"):
            raise Refused(f"'{flag}' stands where a flag such as --run.steps was expected")
        flag, equals, value = flag[2:].partition("=")
        values = [value] if equals else []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        if not values:
            raise Refused(f"--{flag} needs a value")
        values = [_value(flag, item) for item in values]
        found[flag] = values[0] if len(values) == 1 else values
    return found


def _value(flag, text):
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise Refused(
            f"--{flag} cannot be read from '{text}'; put quotes inside it: '\"…\"'"
        ) from None


def _module(main):
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    return spec.name if main.__module__ == "__main__" and spec else main.__module__
