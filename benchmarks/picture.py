"""The picture of docs/speed.md."""

from pathlib import Path
from statistics import median

from matplotlib.figure import Figure

# Shapes as well as colours: those who see few colours tell them apart as well.
MARKS = {
    "service": ("D", "#d55e00"),
    "constant view": ("|", "#000000"),
    "FastAPI": ("o", "#0072b2"),
    "MLflow": ("s", "#009e73"),
    "BentoML": ("^", "#cc79a7"),
    "model in process": ("x", "#666666"),
}


def draw(
    rates: dict[str, dict[str, list[float]]], label: str, path: Path
) -> None:
    """Write a picture of the rates of each workload and server, those of all rounds.

    A mark is at their median, and a line goes from the least to the most.
    """
    figure = Figure(figsize=(9, 0.9 + 0.75 * len(rates)), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel=label)
    for line, servers in enumerate(rates.values()):
        axes.axhline(line, color="#e0e0e0", linewidth=14, zorder=0)
        for name, rounds in servers.items():
            shape, colour = MARKS[name]
            extremes = [min(rounds), max(rounds)]
            axes.plot(extremes, [line, line], color=colour, linewidth=1.5)
            axes.plot(
                median(rounds),
                line,
                shape,
                color=colour,
                markersize=13 if shape == "|" else 8,
                markeredgewidth=2,
                label=None if line else name,  # once for all workloads
            )
    axes.set_yticks(range(len(rates)), list(rates))
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="x", color="#cccccc", linewidth=0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(MARKS), frameon=False)
    figure.savefig(path, dpi=120)
