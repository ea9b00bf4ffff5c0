"""What a function gives in another process, where the order of sets of strings differs."""

import json
import os
import subprocess
import sys

from tests import sandbox


def call(module, function, **environment):
    """The JSON that `tests.<module>.<function>()` gives in a process of its own."""
    code = f"import json; from tests import {module}; print(json.dumps({module}.{function}()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "1", **environment},
        cwd=sandbox.ROOT,
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)
