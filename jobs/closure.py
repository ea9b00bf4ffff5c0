"""Which source files decide what a command computes, and one hash for all of them.

The closure of a module is the module and every project file it imports, followed by `ast` without
running anything. Comments, blank lines, docstrings and file times do not count.
"""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

from jobs.errors import Refused

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("dreamer", "analysis", "jobs")


def digest(*modules):
    """SHA-256 over the closures of `modules` (dotted names) and the data files they name."""
    total = hashlib.sha256()
    for path in sources(*modules):
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
        total.update(f"{name} {file_digest(path)}\n".encode())
    return total.hexdigest()


def sources(*modules):
    """Sorted paths of all project files that `modules` are made of, data files included."""
    packages = {*PACKAGES, *(name.split(".")[0] for name in modules)}  # a user's own agent too
    found, queue = {}, [(name, locate(name)) for name in modules]
    while queue:
        name, path = queue.pop()
        if path is None:
            raise Refused(f"the source of module {name} was not found; run from a whole checkout")
        if path in found:
            continue
        found[path] = True
        imports, data = _scan(path, path.stat().st_mtime_ns, name, frozenset(packages))
        for item in data:
            matches = [match.resolve() for match in path.parent.glob(item)]
            if not matches:
                raise Refused(f"{name} names the data file {item}, which is not there")
            found.update(dict.fromkeys(matches, True))
        queue += [(item, locate(item)) for item in imports]
    return sorted(found)


def file_digest(path):
    """Hash of what a file means: its syntax tree without docstrings, or its bytes if not Python."""
    return _file_digest(path, path.stat().st_mtime_ns)


def locate(module):
    """Path of a module's source, or None; project modules are found beside this file."""
    if module.split(".")[0] not in PACKAGES:
        try:
            found = importlib.util.find_spec(module)
        except ImportError:
            return None
        return Path(found.origin) if found and found.origin else None
    base = ROOT.joinpath(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@cache
def _file_digest(path, _mtime):
    content = path.read_bytes()
    if path.suffix == ".py":
        content = ast.dump(_bare(ast.parse(content))).encode()
    return hashlib.sha256(content).hexdigest()


@cache
def _scan(path, _mtime, module, packages):
    """Modules of `packages` that a file imports (their __init__ too) and the data it names."""
    if path.suffix != ".py":
        return (), ()
    tree, names, data = ast.parse(path.read_bytes()), set(), ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _source(node, module, path)
            names.add(source)
            names.update(f"{source}.{item.name}" for item in node.names)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DATA":
            data = ast.literal_eval(node.value)
    own = {name for name in names if name.split(".")[0] in packages}
    own |= {name.rsplit(".", depth)[0] for name in own for depth in range(1, name.count(".") + 1)}
    return tuple(sorted(name for name in own if locate(name))), tuple(data)


def _source(node, module, path):
    """Absolute name of what a `from … import` names; `module` is the importing file's name."""
    if not node.level:
        return node.module
    package = module.split(".")[: None if path.name == "__init__.py" else -1]
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *filter(None, [node.module])])


def _bare(tree):
    """Drop docstrings, which say much and do nothing."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        documented = isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        )
        if documented and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                node.body = body[1:] or [ast.Pass()]
    return tree
