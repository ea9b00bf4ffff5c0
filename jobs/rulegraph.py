"""Keep the README's rule graph true: `python -m jobs.rulegraph` draws it anew from the workflow."""

import re
import subprocess
import sys

from jobs import closure, files

README = closure.ROOT / "README.md"
BLOCK = re.compile(r"```mermaid\n.*?```", re.DOTALL)


def edges():
    """{(rule, rule that needs it)} of the workflow as Snakemake sees it, without its targets."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js"]
    done = subprocess.run(command, cwd=closure.ROOT, capture_output=True, text=True, check=True)
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", done.stdout))
    names = {key: name.removesuffix("_seed") for key, name in names.items()}
    found = {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", done.stdout)}
    return {pair for pair in found if "all" not in pair}


def reduced(pairs):
    """The edges [(a, b)] that no longer way from a to b implies, sorted."""
    after = {a: {b for start, b in pairs if start == a} for a, _ in pairs}

    def reachable(name):
        return after.get(name, set()).union(*(reachable(item) for item in after.get(name, ())))

    implied = {(a, c) for a, b in pairs for c in reachable(b)}
    return sorted(pairs - implied)


def graph(pairs):
    """A mermaid block of edges."""
    lines = [f"    {a} --> {b}" for a, b in pairs]
    return "\n".join(["```mermaid", "flowchart LR", *lines, "```"])


def main():
    """Write the graph into the README."""
    text = BLOCK.sub(graph(reduced(edges())), README.read_text())
    with files.atomic(README) as temporary:
        temporary.write_text(text)


if __name__ == "__main__":
    main()
