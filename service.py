"""WSGI entry: a server imports `application`; `python service.py` serves for development."""

import sys

from python.app import create_app, develop
from python.errors import ServiceError
from python.production.supervisor import announce
from python.settings import SettingsError

try:
    if __name__ == "__main__":
        develop()
    else:
        application = create_app()
        announce()
except (ServiceError, SettingsError) as error:
    sys.tracebacklimit = (
        0  # the message is one sentence for an operator, and a server that cannot load its app ends
    )
    raise error from None
