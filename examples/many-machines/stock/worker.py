"""Runs a module as `python -m` does, and attaches what ran outside of tests to the stream: imports, mostly."""

import runpy
import sys
import tempfile

import attach
import coverage

with tempfile.TemporaryDirectory() as folder:
    measurement = coverage.Coverage(data_file=f"{folder}/coverage", source=["stock"], branch=True)
    measurement.start()
    sys.argv[:2] = []
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        measurement.stop()
        measurement.save()
        attach.attach(measurement.get_data().data_filename())
