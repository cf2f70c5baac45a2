"""The command that serves artifacts of every kind: it has to see answers that are not equal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from benchmarks.served import data, groups
from benchmarks.served.registry import Group
from benchmarks.served.serving import (
    EQUAL,
    REFUSED,
    UNSEEN_WRONG,
    WRONG,
    Row,
    serve,
)
from benchmarks.served.table import to_line
from benchmarks.served.writing import (
    REFUSE,
    UNSEEN,
    Fitted,
    describe,
    to_records,
    write,
)
from tests.models import ROOT

Asked = dict[str, Any]
TABLE = ROOT / "docs" / "served-table.md"


def served_row(
    folder: Path, fitted: Fitted, change: Callable[[Asked], None] | None = None
) -> Row:
    """Return the row of an artifact whose own answers are changed before it is served."""
    write(folder, fitted)
    path = folder / "asked.json"
    asked = json.loads(path.read_text())
    asked["records"] = asked["records"][:5]
    asked["predictions"] = asked["predictions"][:5]
    asked["probabilities"] = (
        asked["probabilities"] and asked["probabilities"][:5]
    )
    if change is not None:
        change(asked)
    path.write_text(json.dumps(asked))
    row = Row("a group", "an artifact")
    serve(folder, row)
    return row


def classifier(**more: Any) -> Fitted:
    X, y = data.iris()
    model = RandomForestClassifier(3, max_depth=3, random_state=0)
    return Fitted(model.fit(X, y), X, **more)


def regressor() -> Fitted:
    X, y = data.diabetes()
    model = RandomForestRegressor(3, max_depth=3, random_state=0)
    return Fitted(model.fit(X.iloc[:, :3], y), X.iloc[:, :3])


def test_equal_answers_are_equal(tmp_path: Path) -> None:
    row = served_row(tmp_path, classifier())
    assert (row.outcome, row.loaded, row.fast) == (EQUAL, "yes", "yes")
    assert row.answers == "labels equal, 0"
    assert row.explained == "tree path-dependent, probability"


def test_another_label_is_wrong(tmp_path: Path) -> None:
    def change(asked: Asked) -> None:
        asked["predictions"][2] = 7

    row = served_row(tmp_path, classifier(), change)
    assert row.outcome == WRONG
    assert row.answers.startswith("4 labels differ")


def test_another_probability_is_wrong(tmp_path: Path) -> None:
    def change(asked: Asked) -> None:
        asked["probabilities"][4][0] += 1e-8

    assert served_row(tmp_path, classifier(), change).outcome == WRONG


def test_another_number_is_wrong(tmp_path: Path) -> None:
    def change(asked: Asked) -> None:
        asked["predictions"][0] *= 1.001

    assert served_row(tmp_path, regressor(), change).outcome == WRONG


def test_probabilities_under_other_names_are_wrong(tmp_path: Path) -> None:
    fitted = classifier(class_names=["a", "b", "c"], called=["a", "c", "b"])
    assert served_row(tmp_path, fitted).outcome == WRONG


def test_another_number_of_answers_is_wrong(tmp_path: Path) -> None:
    def change(asked: Asked) -> None:
        asked["predictions"].append(0)

    row = served_row(tmp_path, classifier(), change)
    assert (row.outcome, row.answers) == (WRONG, "5 answers for 6 records")


def test_a_model_taken_for_another_kind_is_wrong(tmp_path: Path) -> None:
    row = served_row(tmp_path, classifier(task="REGRESSION"))
    assert row.outcome == WRONG
    assert row.answers.startswith("taken for MULTICLASS_CLASSIFICATION")


def test_what_should_be_refused_and_is_served_is_wrong(tmp_path: Path) -> None:
    assert served_row(tmp_path, classifier(should=REFUSE)).outcome == WRONG


def test_what_nothing_can_tell_is_no_failure(tmp_path: Path) -> None:
    def change(asked: Asked) -> None:
        asked["predictions"][2] = 7

    assert (
        served_row(tmp_path, classifier(should=UNSEEN), change).outcome
        == UNSEEN_WRONG
    )


def test_a_refusal_has_its_sentence(tmp_path: Path) -> None:
    row = served_row(tmp_path, classifier(class_names=["only one"]))
    assert row.outcome == REFUSED
    assert row.loaded.startswith("refused: ")
    assert "class_names" in row.loaded


def test_features_are_described_by_the_columns_types() -> None:
    X, _ = data.people()
    types = {feature["name"]: feature["type"] for feature in describe(X)}
    assert types == {
        "sex": "string",
        "age": "numeric",
        "fare": "numeric",
        "siblings": "integer",
        "zip": "integer",
        "port": "string",
        "member": "boolean",
        "booked": "datetime",
    }


def test_records_are_json_of_the_users_own_data() -> None:
    X, _ = data.people("age", "zip", "member", "booked")
    first, second = to_records(X.iloc[[0, 1]].assign(age=[1.5, None]))
    assert first["age"] == 1.5
    assert second["age"] is None
    assert type(first["zip"]) is int
    assert type(first["member"]) is bool
    assert first["booked"].startswith("202")


def test_a_line_of_the_table_is_one_line_of_markdown() -> None:
    line = to_line(Row("group", "name", REFUSED, "refused: a | b\n*c*"))
    assert line == r"| name | refused: a \| b \*c\* |  |  |  |"


def test_the_table_has_a_row_for_each_artifact() -> None:
    groups.load()
    assert len(Group.cases) >= 120
    lines = TABLE.read_text().splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    heads = 2 * len({case.group for case in Group.cases})
    assert len(rows) - heads == len(Group.cases)
