"""The hash of a closure: what a command computes with changes it, and nothing else does."""

import os

import pytest

from jobs import closure
from jobs.errors import Refused

FILES = {
    "dreamer/__init__.py": "",
    "dreamer/contract.py": "VERSION = 1\n",
    "dreamer/rssm.py": "import dreamer.contract\n",
    "analysis/__init__.py": "",
    "analysis/bins.py": "def bins():\n    from dreamer import contract\n    return contract\n",
    "analysis/words.txt": "words",
    "analysis/position.py": (
        '"""Where is it?"""\nfrom analysis import bins\n\nDATA = ("*.txt",)\n\n\n'
        'def lazy():\n    """Named by a text alone."""\n    return __import__("dreamer.rssm")\n'
    ),
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    return tmp_path


def names(project, module):
    return {str(path.relative_to(project)) for path in closure.sources(module)}


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))  # the file system's clock may be coarse


def test_imports_are_followed_inside_functions_too_but_not_through_texts(project):
    found = names(project, "analysis.position")
    assert {"analysis/bins.py", "dreamer/contract.py", "analysis/words.txt"} <= found
    assert "dreamer/rssm.py" not in found


@pytest.mark.parametrize(
    "file, old, new",
    [
        ("analysis/position.py", "Where is it?", "Where was it?"),
        ("analysis/position.py", "Named by", "Known by"),
        ("analysis/position.py", "\n\n\ndef", "\n\n# why\n\ndef"),
        ("dreamer/rssm.py", "import", "X = 1\nimport"),
        ("analysis/bins.py", "def", "def"),
    ],
    ids=["module docstring", "docstring", "comment", "not imported", "touch"],
)
def test_what_computes_nothing_leaves_the_hash_alone(project, file, old, new):
    before = closure.digest("analysis.position")
    edit(project / file, old, new)
    assert closure.digest("analysis.position") == before


@pytest.mark.parametrize(
    "file, old, new",
    [
        ("analysis/position.py", "from analysis import bins", "from analysis import bins as b"),
        ("dreamer/contract.py", "VERSION = 1", "VERSION = 2"),
        ("analysis/words.txt", "words", "word"),
    ],
    ids=["own code", "code imported in a function", "data"],
)
def test_what_computes_changes_the_hash(project, file, old, new):
    before = closure.digest("analysis.position")
    edit(project / file, old, new)
    assert closure.digest("analysis.position") != before


def test_a_moved_definition_changes_the_hash_of_its_file_name(project):
    before = closure.digest("analysis.bins")
    (project / "dreamer/contract.py").rename(project / "dreamer/schema.py")
    edit(project / "analysis/bins.py", "contract", "schema")
    assert closure.digest("analysis.bins") != before


def test_a_missing_module_or_data_file_is_refused_not_dropped(project):
    with pytest.raises(Refused, match="module analysis.tuning was not found"):
        closure.digest("analysis.tuning")
    (project / "analysis/words.txt").unlink()
    with pytest.raises(Refused, match=r"names the data file \*\.txt"):
        closure.digest("analysis.position")


def test_a_module_of_the_users_own_is_hashed_without_its_folder(project, monkeypatch):
    (project / "own_agent.py").write_text("from dreamer import rssm\n")
    monkeypatch.syspath_prepend(project)
    found = closure.sources("own_agent")
    assert {path.name for path in found} >= {"own_agent.py", "rssm.py", "contract.py"}


def test_a_users_own_package_is_followed_by_absolute_and_relative_imports(tmp_path, monkeypatch):
    folder = tmp_path / "my_package"
    (folder / "parts").mkdir(parents=True)
    texts = {
        "__init__.py": "",
        "agent.py": "from my_package import nets\nfrom . import heads\nimport numpy\n",
        "nets.py": "",
        "heads.py": "from .parts import deep\n",
        "parts/__init__.py": "",
        "parts/deep.py": "from ..nets import x\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = {path.relative_to(folder).as_posix() for path in closure.sources("my_package.agent")}
    assert found == set(texts)
