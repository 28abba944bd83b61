"""Run many jobs with the real coverage.py in one process. With `--try VERSION`, run try_reference.py instead.

Standard input is a JSON list of jobs. Standard output is the list of answers, in the same order.

{"do": "run", "argv": [...], "cwd": "/folder", "env": {...}}
    Run coverage.py's command line. The answer is {"status": 0, "stdout": "...", "stderr": "..."}. With
    "crashes": true, a crash gives {"crash": "ValueError"} instead of a traceback.
{"do": "read", "file": "/folder/.coverage"}
    Read a data file through CoverageData. The answer has has_arcs, contexts, files, lines and arcs.
{"do": "write", "file": "/folder/.coverage.1", "measure": "lines" or "arcs" or null, "contexts": [...],
 "files": [[path, tracer], ...], "lines": [[path, context, [1, 2]], ...],
 "arcs": [[path, context, [[1, 2]]], ...]}
    Write a data file through CoverageData, in this order. The answer is {}.
{"do": "use", "file": "/folder/data", "rcfile": "/folder/rc", "more": "/folder/other"}
    Read a data file, report on a copy of it, and append to the copy. The answer has read, reports (the status and the
    end of the output of each), append (as from "run") and appended (as from "read"), or only error. Every plugin that
    the data names is available.
"""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import traceback
import types
import warnings

if sys.argv[1:2] == ["--try"]:
    import try_reference

    sys.exit(try_reference.main(*sys.argv[2:]))

from coverage import CoverageData, CoveragePlugin
from coverage.cmdline import main as coverage_main
from coverage.plugin_support import Plugins


def run(job):
    os.chdir(job["cwd"])
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        del os.environ[name]
    os.environ.update(job.get("env", {}))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        # Without this, Python would print a repeated warning only for the first job.
        warnings.simplefilter("always")
        try:
            status = coverage_main(job["argv"])
        except Exception as crash:
            if not job.get("crashes"):
                raise
            return {"crash": type(crash).__name__}
    return {"status": status or 0, "stdout": out.getvalue(), "stderr": err.getvalue()}


def read(job):
    data = CoverageData(job["file"])
    data.read()
    answer = {
        "has_arcs": data.has_arcs() if data._has_lines or data._has_arcs else None,
        "contexts": sorted(data.measured_contexts()),
        "files": [],
        "lines": [],
        "arcs": [],
    }
    for path in sorted(data.measured_files()):
        answer["files"].append([path, data.file_tracer(path)])
        for context in answer["contexts"]:
            data.set_query_context(context)
            if data.has_arcs():
                answer["arcs"] += [[path, context, *arc] for arc in sorted(set(data.arcs(path)))]
            else:
                lines = sorted(data.lines(path))
                if lines:
                    answer["lines"].append([path, context, lines])
        data.set_query_contexts(None)
    data.close()
    return answer


def write(job):
    data = CoverageData(job["file"])
    data._start_using()
    with data._connect():
        pass
    if job["measure"]:
        data._choose_lines_or_arcs(lines=job["measure"] == "lines", arcs=job["measure"] == "arcs")
    for context in job["contexts"]:
        data.set_context(context)
        data._set_context_id()
    for path, tracer in job["files"]:
        data._file_id(path, add=True)
        data.add_file_tracers({path: tracer} if tracer else {})
    for path, context, lines in job["lines"]:
        data.set_context(context)
        data.add_lines({path: lines})
    for path, context, arcs in job["arcs"]:
        data.set_context(context)
        data.add_arcs({path: arcs})
    data.write()
    data.close()
    return {}


class PagePlugin(CoveragePlugin):
    """Stands in for the file tracers that recorded some data files. It can do no more than report on them."""

    def file_reporter(self, filename):
        return "python"


tmpl_plugin = types.ModuleType("tmpl_plugin")
tmpl_plugin.coverage_init = lambda registry, options: registry.add_file_tracer(PagePlugin())
sys.modules["tmpl_plugin"] = tmpl_plugin


REPORTS = [["report", "-m"], ["json", "--show-contexts", "-o-"], ["xml", "-o-"]]


def use(job):
    known = Plugins.get
    Plugins.get = lambda plugins, name: plugins.names.get(name) or PagePlugin()
    try:
        return use_with_any_plugin(job)
    except Exception:
        return {"error": traceback.format_exc()}
    finally:
        Plugins.get = known
        os.chdir("/")


def use_with_any_plugin(job):
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, ".coverage")
        shutil.copy(job["file"], copy)
        options = ["-i", "--rcfile=" + job["rcfile"]]
        reports = [run({"argv": argv + options, "cwd": folder}) for argv in REPORTS]
        append = ["combine", "--append", "--keep", "--rcfile=", job["more"]]
        return {
            "read": read(job),
            "reports": [[report["status"], report["stdout"][-200:]] for report in reports],
            "append": run({"argv": append, "cwd": folder}),
            "appended": read({"file": copy}),
        }


JOBS = {"run": run, "read": read, "write": write, "use": use}

answers = [JOBS[job["do"]](job) for job in json.load(sys.stdin)]
json.dump(answers, sys.stdout)
