"""Tests that attach what they ran to their results."""

import os
import tempfile

import coverage
from testtools import TestCase
from testtools.content import content_from_file
from testtools.content_type import ContentType


class MeasuredTest(TestCase):
    def setUp(self):
        super().setUp()
        self.measurement = coverage.Coverage(data_file=self.new_file(), source=["stock"], branch=True)
        self.measurement.start()
        self.addCleanup(self.attach)

    def attach(self):
        self.measurement.stop()
        self.measurement.save()
        path = self.measurement.get_data().data_filename()
        self.addDetail("coverage", content_from_file(path, ContentType("application", "octet-stream"), buffer_now=True))
        os.unlink(path)

    @staticmethod
    def new_file():
        handle, path = tempfile.mkstemp()
        os.close(handle)
        return path
