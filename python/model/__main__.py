"""The command that checks a model file before it ships: `python -m python.model FILE`."""

import argparse
import json
import sys
from pathlib import Path

from python.checking.apart import check_apart
from python.checking.printing import print_report
from python.model import FAMILIES
from python.settings import Settings, SettingsError


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m python.model",
        description="Load a model file as the service does, and say what it is and costs.",
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        help="the file; left out, it is the one of the settings",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def main() -> int:
    """Print whether the file will be served, and as what; return 0 if it will, 1 if not."""
    arguments = _read_arguments()
    try:
        settings = Settings.read(FAMILIES)
    except SettingsError as error:
        sys.exit(str(error))
    path: Path = arguments.file or settings.model_path
    report = check_apart(path, settings)
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        print_report(report)
    return 0 if report["serves"] else 1


if __name__ == "__main__":
    sys.exit(main())
