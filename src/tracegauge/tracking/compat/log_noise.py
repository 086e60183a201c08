"""Messages of MLflow that mean nothing."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_HARMLESS = {
    # 3.9 takes a span that was not sampled for one that could not be started.
    "mlflow.tracing.fluent": "'NonRecordingSpan' object has no attribute 'context'",
    # 3.9 can't detach spans of asynchronous graphs, whose context is gone by then anyway.
    "mlflow.utils.autologging_utils": "was created in a different Context",
}


@contextmanager
def harmless_warnings_ignored() -> Iterator[None]:
    """Keep two messages of MLflow 3.9, of which there would be one for each span, out of the log."""
    filters = [(logging.getLogger(name), _Without(text)) for name, text in _HARMLESS.items()]
    for logger, one in filters:
        logger.addFilter(one)
    try:
        yield
    finally:
        for logger, one in filters:
            logger.removeFilter(one)


class _Without(logging.Filter):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def filter(self, record: logging.LogRecord) -> bool:
        return self._text not in record.getMessage()
