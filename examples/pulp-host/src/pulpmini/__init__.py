"""A content server in miniature: repositories, an API, and tasks that workers run."""

__version__ = "3.85.0"
