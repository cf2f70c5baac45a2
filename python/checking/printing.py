"""Printing: the report of a file on one screen, for a person."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from python.model.data.spelling import shorten

if TYPE_CHECKING:
    from python.checking.report import Report

MAX_FEATURES = 20
MAX_VALUES = 5
MEGABYTE = 1_000_000
NO = "no"


class Line(NamedTuple):
    """What a thing is called, and what is said of it."""

    name: str
    text: str


def print_report(report: "Report") -> None:
    """Print the report: with rich on a terminal, as plain text elsewhere."""
    if sys.stdout.isatty():
        _print_rich(report)
    else:
        _print_plain(report)
    if report["serves"]:
        # It is to be copied, so that nothing may break the line.
        print(report["curl"])


def _print_plain(report: "Report") -> None:
    print(verdict(report))
    lines = list(describe(report))
    width = max(len(line.name) for line in lines)
    for line in lines:
        print(f"  {line.name:<{width}}  {line.text}")


def _print_rich(report: "Report") -> None:
    # It is needed on a terminal alone.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    colour = "green" if report["serves"] else "red"
    console.print(Text(verdict(report), style=f"bold {colour}"))
    table = Table.grid(padding=(0, 2))
    for line in describe(report):
        table.add_row(Text(line.name, style="bold"), Text(line.text))
    console.print(table)


def verdict(report: "Report") -> str:
    """Return in one line whether the file will be served."""
    if report["serves"]:
        return f"{report['file']} will be served"
    return f"{report['file']} will not be served"


def describe(report: "Report") -> Iterator[Line]:
    """Yield the lines of the report."""
    if not report["serves"]:
        for reason in report["reasons"]:
            yield Line("reason", reason)
    else:
        yield from _describe_model(report)
        yield from _describe_features(report["features"])
        yield from _describe_checks(report)
        yield from _describe_costs(report["costs"])
    for warning in report["warnings"]:
        yield Line("warning", warning)


def _describe_model(report: "Report") -> Iterator[Line]:
    model = report["model"]
    yield Line("SHA-256", report["sha256"])
    outer = _name_type(model["type"])
    predictor = _name_type(model["predictor_type"])
    inside = "" if predictor == outer else f", {predictor} inside"
    yield Line("model", f"{outer}{inside}")
    yield Line("task", model["task"])
    if model["class_names"]:
        yield Line("classes", ", ".join(map(str, model["class_names"])))
    if not model["has_probabilities"]:
        reason = model["probabilities_reason"]
        yield Line("probabilities", f"{NO}: {reason}")


def _name_type(text: str) -> str:
    """Return the name of a type, of what Python shows of it: `<class 'module.Name'>`."""
    return text.removeprefix("<class '").removesuffix("'>")


def _describe_features(features: list[dict[str, Any]]) -> Iterator[Line]:
    for feature in features[:MAX_FEATURES]:
        name = f"feature {shorten(feature['name'])}"
        yield Line(name, _describe_feature(feature))
    hidden = len(features) - MAX_FEATURES
    if hidden > 0:
        yield Line("features", f"{hidden} more; --json lists all of them")


def _describe_feature(feature: dict[str, Any]) -> str:
    """Return the type of a feature, its rule for missing values, and what the encoders know."""
    parts = [feature["type"]]
    if "dtype" in feature:
        parts[0] += f" ({feature['dtype']})"
    parts.append(_describe_rule(feature))
    known = feature["known_values"]
    if known is not None:
        shown = ", ".join(map(shorten, known[:MAX_VALUES]))
        more = " ..." if len(known) > MAX_VALUES else ""
        parts.append(f"its encoder knows {len(known)}: {shown}{more}")
    return "; ".join(parts)


def _describe_rule(feature: dict[str, Any]) -> str:
    """Return whether a value may be missing, and who says so."""
    if feature.get("default") is not None:
        return f"{shorten(feature['default'])} if missing"
    rule = "required" if feature["required"] else "may be missing"
    return f"{rule} (says the {feature['accepts_missing_from']})"


def _describe_checks(report: "Report") -> Iterator[Line]:
    n_examples = report["examples"]
    compared = f"{n_examples} compared" if n_examples else "none in the file"
    yield Line("examples", compared)
    yield Line("explanations", _describe_explanation(report["explanation"]))
    fast = "yes"
    if not report["fast_predict"]:
        fast = f"{NO}: {report['fast_predict_reason']}"
    yield Line("compiled copy", fast)
    for versions in report["versions"]:
        fitted_with = versions["fitted_with"]
        installed = versions["installed"] or "not installed"
        text = f"{fitted_with} then, {installed} now"
        if fitted_with == installed:
            text = installed
        yield Line(versions["package"], text)


def _describe_explanation(explanation: dict[str, Any]) -> str:
    method = explanation["explanation_method"]
    if not explanation["is_explainable"]:
        return f"{NO}: {explanation['reason']}"
    if explanation["needs_samples"]:
        return f"{method}, with _samples in the request alone"
    if explanation["error"] is None:
        return f"{method}, but not of the example: {explanation['reason']}"
    return (
        f"{method}, of {explanation['players']} features; they add up to the "
        f"{explanation['explained_output']} with an error of {explanation['error']:.1g}"
    )


def _describe_costs(costs: dict[str, Any]) -> Iterator[Line]:
    yield Line("file", f"{costs['file_bytes'] / MEGABYTE:.2f} MB")
    yield Line("memory", f"{costs['memory_bytes'] / MEGABYTE:.0f} MB a worker")
    text = (
        f"{costs['prediction_ms']:.2f} ms for a prediction, "
        f"{costs['thousand_predictions_ms']:.1f} ms for a thousand"
    )
    if costs["explanation_ms"] is not None:
        text += f", {costs['explanation_ms']:.1f} ms for an explanation"
    yield Line("time", text)
