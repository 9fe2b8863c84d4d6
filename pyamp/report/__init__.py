"""Reports on unweighted events: tables and figures as one HTML page (``pyamp report``)."""

from pyamp.report.page import write_report

__all__ = ["write_report"]
