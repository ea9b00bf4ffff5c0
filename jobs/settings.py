"""The workflow's configuration against its schema: defaults filled in, every error told at once."""

import copy
import difflib
from pathlib import Path

import jsonschema
import yaml

from jobs.errors import Refused

KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a block of settings",
}


def read(config, schema, source="the configuration"):
    """`config` with the schema file's defaults; all that is wrong is refused in one message."""
    rules = yaml.safe_load(Path(schema).read_text())
    filled = fill(config, rules)
    errors = jsonschema.Draft202012Validator(rules).iter_errors(filled)
    lines = [tell(error) for error in sorted(errors, key=lambda error: list(map(str, error.path)))]
    if lines:
        raise Refused("\n       ".join(f"in {source}, {line}" for line in lines))
    return plain(filled, rules)


def fill(value, schema):
    """A copy of `value` with missing settings at their defaults, inside lists and blocks too."""
    if isinstance(value, dict) and "properties" in schema:
        value = dict(value)
        for key, rules in schema["properties"].items():
            if key not in value and rules.get("type") == "object":
                value[key] = {}
            if key not in value and "default" in rules:
                value[key] = copy.deepcopy(rules["default"])
            if key in value:
                value[key] = fill(value[key], rules)
    elif isinstance(value, list) and "items" in schema:
        value = [fill(item, schema["items"]) for item in value]
    return value


def plain(value, schema):
    """Numbers in the type the schema names, so that 1 and 1.0 make the same spec."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return {key: plain(item, known.get(key, {})) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item, schema.get("items", {})) for item in value]
    kinds = {"integer": int, "number": float}
    return kinds.get(schema.get("type"), lambda same: same)(value)


def tell(error):
    """One sentence: which setting, what it is, what it takes, what was probably meant."""
    place = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties":
        return _unknown(place, error)
    if error.validator == "required":
        missing = error.message.split("'")[1]
        return f"{place}.{missing}".strip(".") + " is missing: " + _words(error, missing)
    takes, hint = _takes(error), ""
    if error.validator == "type" and isinstance(error.instance, str):
        hint = _text(error.instance, takes)
    meaning = error.schema.get("description", "")
    meaning = f" ({meaning})" if meaning else ""
    return f"{place or 'it'} is {error.instance!r}, but takes {takes}{hint}{meaning}"


def _unknown(place, error):
    known = list(error.schema["properties"])
    names = [name for name in error.instance if name not in known]
    found = []
    for name in names:
        near = difflib.get_close_matches(str(name), known, 1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
        found.append(f"{place}.{name}".strip(".") + f" is not a setting; {hint}")
    return "; ".join(found)


def _takes(error):
    limit = error.validator_value
    words = {
        "type": lambda: KINDS[limit],
        "enum": lambda: "one of " + ", ".join(map(str, limit)),
        "minimum": lambda: f"at least {limit}",
        "maximum": lambda: f"at most {limit}",
        "exclusiveMinimum": lambda: f"more than {limit}",
        "exclusiveMaximum": lambda: f"less than {limit}",
        "maxItems": lambda: f"at most {limit} of them",
        "minItems": lambda: f"at least {limit} of them",
        "uniqueItems": lambda: "each value once",
        "pattern": lambda: f"a text that matches {limit}",
    }
    return words.get(error.validator, lambda: f"something else ({error.message})")()


def _words(error, name):
    return error.schema["properties"][name].get("description", "it has no default")


def _text(value, takes):
    """What to write instead where YAML or the command line made a text of a number."""
    try:
        number = float(value)
    except ValueError:
        return ""
    if takes == KINDS["number"] and "e" in value.lower():
        return f"; YAML reads {value} as text, write {number:.1e}"
    return "; it is a text here, so write it without quotes (in a --configfile, not in --config)"
