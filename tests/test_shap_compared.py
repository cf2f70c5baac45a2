"""docs/shap-compared.md: what it says of the service and of brute force is so."""

from benchmarks.shap_compared import examples
from tests.models import ROOT

DOCS = ROOT / "docs"


def test_the_first_example_is_that_of_the_page() -> None:
    page = (DOCS / "shap-compared-tree-table.md").read_text().splitlines()
    lines = examples.of_a_tree().splitlines()
    assert "| brute force | 2 | -5 | 3 | 0 |" in lines
    assert "| the service | 2 | -5 | 3 | 0 |" in lines
    assert lines[:4] == page[:4]


def test_every_table_of_the_page_has_been_measured() -> None:
    page = (DOCS / "shap-compared.md").read_text()
    for path in DOCS.glob("shap-compared-*table.md"):
        assert f"{{include}} {path.name}" in page
    table = (DOCS / "shap-compared-table.md").read_text()
    assert "The service's values differ for 0 by more than" in table
