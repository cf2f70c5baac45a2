"""Write the tables of docs/shap-compared.md."""

import warnings
from pathlib import Path

from benchmarks.shap_compared import examples, table

DOCS = Path(__file__).parent.parent.parent / "docs"


def write(name: str, text: str) -> None:
    """Write a table that docs/shap-compared.md includes."""
    (DOCS / f"shap-compared-{name}table.md").write_text(text + "\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write("tree-", examples.of_a_tree())
    write("pressure-", examples.of_a_pressure())
    write("prices-", examples.of_prices())
    write("rounding-", examples.of_rounding())
    write("", table.of_models())
