"""Start Snakemake quickly in one folder: a process that has imported it forks one for each call.

A dry run takes three seconds, most of them for imports and for parsing all source files. The folder
may be replaced between calls: files are parsed again where their times differ.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path


class Forks:
    """Runs `python -m words` in `folder`, as subprocess.run would, but for the imports."""

    def __init__(self, folder):
        self.folder = Path(folder)
        command = [sys.executable, "-P", __file__, str(folder)]
        self.server = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, cwd="/")
        assert self.server.stdout.readline() == "ready\n"

    def run(self, *words, **environment):
        """The finished process of `python -m words`."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            files = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (out, err)]
            asked = [list(map(str, words)), {**os.environ, **environment}, files]
            print(json.dumps(asked), file=self.server.stdin, flush=True)
            code = int(self.server.stdout.readline())
            return subprocess.CompletedProcess(words, code, _text(out), _text(err))

    def close(self):
        """End the server."""
        self.server.stdin.close()
        self.server.wait()
        self.server.stdout.close()


def _text(file):
    file.seek(0)
    return file.read()


def serve(folder):
    """Fork for every line of standard input; print the exit code of each child."""
    sys.path.insert(0, folder)
    import pandas  # noqa: F401
    import snakemake.cli  # noqa: F401
    import snakemake_executor_plugin_slurm.partitions  # noqa: F401

    from jobs import closure, stages

    for stage in stages.STAGES.values():
        closure.digest(stage.module, "dreamer.v3.agent", "dreamer.envs.crafter")
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_call(folder, *json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _call(folder, words, environment, files):
    for number, path in enumerate(files, 1):
        os.dup2(os.open(path, os.O_WRONLY), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve(sys.argv[1])
