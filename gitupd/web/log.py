"""The log: one structured line per event on standard error, as JSON or as text."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_log(log_format: str) -> None:
    """Write the log as *log_format*, ``json`` or ``text``, from now on."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    steps: list[structlog.types.Processor] = [structlog.processors.add_log_level, stamp]
    if log_format == "json":
        steps.append(structlog.processors.JSONRenderer())
    else:
        steps.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    structlog.configure(
        processors=steps,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True
    )
