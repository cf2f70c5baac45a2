"""WSGI entry: a server imports `application`; `python service.py` serves for development."""

import sys

from python.app import create_app
from python.errors import ServiceError
from python.production.supervisor import announce_ready
from python.settings import SettingsError

try:
    if __name__ == "__main__":
        # Production does without the reloader and python-dotenv, which take 10 ms to import.
        from python.development import develop

        develop()
    else:
        application = create_app()
        announce_ready()
except (ServiceError, SettingsError) as error:
    # The process ends, and an operator reads one sentence instead of a traceback.
    sys.tracebacklimit = 0
    raise error from None
