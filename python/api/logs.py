"""Logs: every line says which request it belongs to."""

import logging

from python.api.exchange import current_exchange

FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"


def log_to_standard_error(level: str) -> None:
    """Log from `level` on, each line with the id of its request.

    If the process has configured its log before, that stays as it is.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_add_request_id)
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=level, handlers=[handler])


def _add_request_id(record: logging.LogRecord) -> bool:
    exchange = current_exchange()
    record.request_id = "-" if exchange is None else exchange.request_id
    return True
