"""What a worker makes of chunks: the estimator's results, and the places of faults."""

import csv
import threading
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from python.errors import ArtifactError, Unprocessable
from python.model.data.spelling import Guesses
from python.model.tabular import layouts
from python.score.chunks import CsvStream
from python.score.jobs import Job, JobError, Part, Plan, settings_for
from python.score.parquet import ParquetChunk, ParquetWriter
from python.score.scorer import Scorer
from python.settings import Settings
from tests.artifacts import X, client_of, content
from tests.laws import inputs
from tests.models import NAMES, Fitted, build, fitted, mixed, numbers

ROWS = 5


def job_for(folder: Path, artifact: Any, header: Any, **options: Any) -> Job:
    path = folder / "model.joblib"
    joblib.dump(artifact, path)
    settings = Settings(
        fast_predict=False,
        max_explain_rows=options.pop("max_explain_rows", 1000),
        unknown_features=options.pop("unknown_features", "reject"),
    )
    return Job(settings_for(settings, path), header, **options)


def score(
    folder: Path, artifact: Any, text: str, **options: Any
) -> tuple[Plan, list[Part]]:
    """Return the plan and the parts for a CSV text."""
    stream = CsvStream(BytesIO(text.encode()))
    scorer = Scorer(job_for(folder, artifact, stream.header, **options))
    plan = scorer.plan
    chunks = stream.chunks(plan.separator)
    return plan, [scorer.score(chunk) for chunk in chunks]


def table(plan: Plan, parts: list[Part]) -> pd.DataFrame:
    """Return the output, with the numbers as they are written."""
    text = b"".join(part.content for part in parts).decode()
    rows = csv.reader(StringIO(text, newline=""))
    return pd.DataFrame(rows, columns=plan.names)


def faults(parts: list[Part]) -> list[str]:
    return [fault for part in parts for fault in part.faults]


def rows_of(fitted: Fitted, **options: Any) -> str:
    return str(fitted.data.head(ROWS).to_csv(index=False, **options))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_results_are_the_estimators(name: str, elsewhere: Path) -> None:
    model = build(name)
    plan, parts = score(elsewhere, model.content, rows_of(model))
    predicted = np.asarray(model.estimator.predict(inputs(model)))
    predicted = predicted.reshape(ROWS, -1)
    written = table(plan, parts)
    names = [item for item in written if item.startswith("prediction")]
    assert len(names) == predicted.shape[1]
    for item, column in zip(names, predicted.T, strict=True):
        if column.dtype.kind == "f":
            near(written[item].astype(float), column)
        else:
            assert written[item].tolist() == list(map(str, column))


def near(first: Any, second: Any) -> None:
    """Assert that they are equal, but for the order in which a processor adds up."""
    np.testing.assert_allclose(first, second, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", ["build_rf_multiclass", "pipeline"])
def test_probabilities_and_explanations_have_columns_of_their_own(
    name: str, elsewhere: Path
) -> None:
    model = build(name)
    options = {"proba": True, "explain": True, "max_explain_rows": 2}
    text = rows_of(model)
    plan, parts = score(elsewhere, model.content, text, **options)
    written = table(plan, parts)
    probabilities = model.estimator.predict_proba(inputs(model))
    proba = written.filter(regex="^proba_").astype(float)
    np.testing.assert_array_equal(proba, probabilities)
    classes = [name.removeprefix("proba_") for name in proba]
    names = model.content["metadata"].get("class_names")
    assert classes == names or list(map(str, model.estimator.classes_))
    explained = classes if len(classes) > 2 else [classes[1]]
    for item in explained:
        infix = f"_{item}" if len(classes) > 2 else ""
        shap = [f"shap{infix}_{feature}" for feature in model.data]
        total = written[shap].astype(float).sum(axis=1)
        total += written[f"base_value{infix}"].astype(float)
        expected = proba[f"proba_{item}"]
        np.testing.assert_allclose(total, expected, atol=1e-9)
    assert "add up to: probability" in plan.remarks[-1]


def test_explanations_are_prepared_only_where_they_are_wanted(
    elsewhere: Path,
) -> None:
    """What explains a forest takes tens of megabytes in each process."""
    job = job_for(elsewhere, content(), ",".join(X.columns) + "\n")
    scorer = Scorer(job)
    for thread in threading.enumerate():
        if thread.name == "prepare":
            thread.join()
    assert scorer._model.info()["explanation"] == "being prepared"


def test_several_outputs_are_numbered(elsewhere: Path) -> None:
    model = build("several labels")
    plan, parts = score(elsewhere, model.content, rows_of(model), proba=True)
    assert plan.names[:3] == [f"prediction_{number}" for number in range(3)]
    expected = model.estimator.predict_proba(inputs(model))
    written = table(plan, parts).filter(regex="^proba_._1$").astype(float)
    near(written, expected)


CELLS = ["size,weight,height,colour", "1,2,3,red", "1,2,3,blue"]
BAD_ROWS = {
    "1,2,3,gold": 'line 4, column "colour": expected one of the categories '
    '"blue", "green", "red", got "gold"',
    "1,2,,red": 'line 4, column "height": missing: the feature has no default '
    "and accepts no missing value",
    "1,2,x,red": 'line 4, column "height": expected a number, got "x"',
    "1,2,NA,red": 'line 4, column "height": expected a number, got "NA"; '
    "a cell is empty where its value is missing",
    '1,2,"3,5",red': 'line 4, column "height": expected a number, got "3,5"; '
    "a number has a point before its decimals, unless --decimal , says otherwise",
    "1,2,3": "line 4: expected 4 cells, got 3",
    "1,2,3,red,": "line 4: expected 4 cells, got 5",
    "1,2,inf,red": 'line 4, column "height": expected a number, got "inf"',
}


@pytest.mark.parametrize("row", BAD_ROWS)
@pytest.mark.parametrize("on_error", ["stop", "skip", "null"])
def test_a_row_that_does_not_fit(
    row: str, on_error: str, elsewhere: Path
) -> None:
    model = build("catboost")
    features = [dict(entry) for entry in model.content["metadata"]["features"]]
    features[2]["accepts_missing"] = False
    artifact = model.content | {"metadata": {"features": features}}
    text = "\n".join([*CELLS, row, CELLS[1], ""])
    plan, parts = score(
        elsewhere, artifact, text, on_error=on_error, keep=("colour",)
    )
    assert faults(parts) == [BAD_ROWS[row]]
    (part,) = parts
    assert (part.n_rows, part.n_faulty) == (4, 1)
    frame = pd.read_csv(StringIO("\n".join(CELLS[:3])))
    expected = [str(label) for label in model.estimator.predict(frame)]
    expected.append(expected[0])
    if on_error == "stop":
        return
    written = table(plan, parts)
    if on_error == "null":
        assert written["prediction"].iloc[2] == ""
        written = written.drop(index=2)
    assert written["prediction"].tolist() == expected
    assert written["colour"].tolist() == ["red", "blue", "red"]


class Picky:
    """An estimator that does not take a 7, and not two numbers that are equal."""

    def predict(self, X: Any) -> Any:
        numbers = np.asarray(X)
        if (numbers == 7).any() or (numbers[:, 0] == numbers[:, 1]).any():
            raise ValueError("no")
        return numbers.sum(axis=1)


def test_a_row_that_the_model_does_not_take(elsewhere: Path) -> None:
    features = [{"name": name, "type": "numeric"} for name in ("x", "y")]
    artifact = {
        "model": Picky(),
        "metadata": {"features": features},
        "samples": [{"x": 1, "y": 2}],
    }
    text = "x,y\n1,2\n7,9\n3,x\n5,5\n2,3\n"
    _, (part,) = score(elsewhere, artifact, text, on_error="skip")
    assert part.content == b"3.0\n5.0\n"
    assert part.faults == [
        'line 3, column "x": the model does not take this value',
        'line 4, column "y": expected a number, got "x"',
        "line 5: the model does not take these values together",
    ]


def test_lines_are_counted_as_an_editor_counts_them(elsewhere: Path) -> None:
    model = build("catboost")
    text = "\n".join(
        [
            "size,weight,height,note,colour",
            '1,2,3,"a\nb",red',
            "",
            "1,2,x,,red",
        ]
    )
    _, parts = score(elsewhere, model.content, text, keep=("note",))
    assert faults(parts) == [
        'line 5, column "height": expected a number, got "x"'
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str, elsewhere: Path) -> None:
    model = build("pipeline")
    expected = score(elsewhere, model.content, rows_of(model))[1]
    text = rows_of(model, sep=separator)
    _, parts = score(elsewhere, model.content, "\ufeff" + text)
    assert parts == expected


def test_decimal_commas_are_read_where_that_is_said(elsewhere: Path) -> None:
    model = build("pipeline")
    expected = score(elsewhere, model.content, rows_of(model))[1]
    text = rows_of(model, sep=";", decimal=",")
    assert score(elsewhere, model.content, text, decimal=",")[1] == expected
    (fault, *_) = faults(score(elsewhere, model.content, text)[1])
    assert fault.endswith(", unless --decimal , says otherwise")


@pytest.mark.parametrize(
    ("header", "options", "sentence"),
    [
        ("size,weight,height", {}, 'no column for the feature "colour"'),
        (
            "size,weight,height,color",
            {},
            'unknown feature "color"; did you mean "colour"?; no column for',
        ),
        ("size,size,weight", {}, 'the header has "size" 2 times'),
        ("a,b", {"unknown_features": "ignore"}, "no column for the feature"),
        ("\n", {}, "there is no header: the first line is empty"),
        (
            "size,weight,height,colour,prediction",
            {"keep": None},
            'the output would have 2 columns named "prediction"',
        ),
    ],
)
def test_a_header_that_does_not_fit(
    header: str, options: dict[str, Any], sentence: str, elsewhere: Path
) -> None:
    model = build("catboost")
    with pytest.raises(Unprocessable) as raised:
        score(elsewhere, model.content, f"{header}\n", **options)
    assert sentence in raised.value.detail


def test_other_columns_may_be_kept_or_ignored(elsewhere: Path) -> None:
    model = build("catboost")
    frame = model.data.head(ROWS).assign(id=["a", "", '"', "ß", "1,5"])
    text = frame.to_csv(index=False)
    for options in ({"keep": ("id",)}, {"keep": None}):
        plan, parts = score(elsewhere, model.content, text, **options)
        assert table(plan, parts)["id"].tolist() == frame["id"].tolist()
    assert plan.names == [*frame, "prediction"]
    plan, _ = score(elsewhere, model.content, text, unknown_features="ignore")
    assert plan.names == ["prediction"]
    with pytest.raises(JobError, match=r"has no column .ids.; did you mean"):
        score(elsewhere, model.content, text, keep=("ids",))


def test_what_has_no_column_is_said(elsewhere: Path) -> None:
    data = numbers(missing=True)
    data.columns = ["x", "y", "z"]
    artifact = fitted(DecisionTreeRegressor(), data, 0).content
    artifact["metadata"]["features"][2]["default"] = 0
    plan, parts = score(elsewhere, artifact, "x\n1\n2\n")
    assert plan.remarks == [
        'there is no column "y": it is missing in every row',
        'there is no column "z": its default is 0 in every row',
    ]
    frame = pd.DataFrame({"x": [1.0, 2], "y": np.nan, "z": 0.0})
    expected = artifact["model"].predict(frame)
    assert table(plan, parts)["prediction"].astype(float).tolist() == list(
        expected
    )


def test_a_header_alone_makes_a_header(elsewhere: Path) -> None:
    model = build("catboost")
    plan, parts = score(elsewhere, model.content, CELLS[0], proba=True)
    assert plan.names == ["prediction", "proba_no", "proba_yes"]
    assert parts == []


def test_samples_of_a_file(elsewhere: Path) -> None:
    artifact = fitted(KNeighborsClassifier(), numbers(), samples=0).content
    text = numbers().head(3).to_csv(index=False)
    samples = elsewhere / "samples.csv"
    numbers().head(6).assign(id=1).to_csv(samples, index=False)
    with pytest.raises(JobError, match=r"needs background rows.*--samples"):
        score(elsewhere, artifact, text, explain=True)
    options: dict[str, Any] = {"explain": True, "samples": samples}
    plan, parts = score(elsewhere, artifact, text, proba=True, **options)
    written = table(plan, parts).drop(columns="prediction").astype(float)
    total = written.filter(regex="^shap_|^base_value").sum(axis=1)
    np.testing.assert_allclose(total, written["proba_yes"], atol=1e-9)
    background = artifact["model"].predict_proba(numbers().head(6))[:, 1]
    np.testing.assert_allclose(written["base_value"], background.mean())
    with pytest.raises(JobError, match="at most 5 samples are taken"):
        score(elsewhere, artifact, text, max_explain_rows=5, **options)
    samples.write_text("size,a/b ~c,größe\n1,2,x\n")
    with pytest.raises(JobError, match='line 2, column "größe": expected a'):
        score(elsewhere, artifact, text, **options)


def test_text_that_is_not_utf_8(elsewhere: Path) -> None:
    model = build("catboost")
    path = job_for(elsewhere, model.content, CELLS[0])
    scorer = Scorer(path)
    stream = CsvStream(
        BytesIO("\n".join([*CELLS, "1,2,3,ß"]).encode("cp1252"))
    )
    chunks = list(stream.chunks(","))
    with pytest.raises(JobError, match="line 4: the input is not UTF-8"):
        list(map(scorer.score, chunks))


def test_a_file_that_cannot_be_served_is_refused(elsewhere: Path) -> None:
    with pytest.raises(ArtifactError, match="has no predict"):
        score(elsewhere, content(model=3), "x\n1\n")


FRAME = mixed(missing=True).head(ROWS)


@pytest.mark.parametrize("name", ["pipeline", "lightgbm", "histogram"])
@pytest.mark.parametrize("writes", ["csv", "parquet"])
def test_parquet_is_scored_as_csv(
    name: str, writes: str, elsewhere: Path
) -> None:
    model = build(name)
    frame = model.data.head(ROWS).assign(id=range(ROWS))
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    options: dict[str, Any] = {"proba": True, "keep": ("id",)}
    job = job_for(
        elsewhere, model.content, batch.schema, writes=writes, **options
    )
    scorer = Scorer(job)
    part = scorer.score(ParquetChunk(batch, 1))
    plan, parts = score(
        elsewhere, model.content, frame.to_csv(index=False), **options
    )
    assert scorer.plan.names == plan.names
    if writes == "csv":
        assert part.content == parts[0].content
        return
    assert scorer.plan.empty.schema == part.content.schema
    assert part.content["id"].to_pylist() == list(range(ROWS))
    written = table(plan, parts)
    for column in plan.names[2:]:
        expected = written[column].astype(float).tolist()
        assert part.content[column].to_pylist() == expected


def test_types_of_parquet(elsewhere: Path) -> None:
    """Dates, texts, whole numbers and decimals come as the values that JSON has for them."""
    features = [
        {"name": "when", "type": "datetime"},
        {"name": "text", "type": "string", "accepts_missing": False},
        {"name": "whole", "type": "integer"},
        {"name": "flag", "type": "boolean"},
        {"name": "price", "type": "numeric"},
    ]
    artifact = {
        "model": Seen(),
        "metadata": {"features": features},
    }
    frame = pa.table(
        {
            "when": pa.array([0, 86_400_000], pa.timestamp("ms")),
            "text": pa.array(["a", "b"]).dictionary_encode(),
            "whole": pa.array([2**53 + 1, 2], pa.int64()),
            "flag": pa.array([True, False]),
            "price": pa.array([1.25, 2.5]).cast(pa.decimal128(5, 2)),
        }
    )
    (batch,) = frame.to_batches()
    scorer = Scorer(job_for(elsewhere, artifact, frame.schema))
    part = scorer.score(ParquetChunk(batch, 1))
    assert part.faults == []
    assert part.content.decode().splitlines() == [
        "1970-01-01 a 9007199254740993 True 1.25",
        "1970-01-02 b 2 False 2.5",
    ]


class Seen:
    """An estimator that predicts what it is given."""

    feature_names_in_ = np.array(
        ["when", "text", "whole", "flag", "price"], dtype=object
    )

    def predict(self, X: Any) -> Any:
        rows = []
        for when, text, whole, flag, price in X.itertuples(index=False):
            rows.append(
                f"{when:%Y-%m-%d} {text} {whole} {flag} {float(price)}"
            )
        return np.array(rows, dtype=object)


def test_faults_of_parquet_have_the_number_of_their_row(
    elsewhere: Path,
) -> None:
    model = build("catboost")
    frame = model.data.head(3)
    batch = pa.RecordBatch.from_pandas(
        frame.assign(colour=["red", None, "gold"], size=[1.0, np.inf, np.nan]),
        preserve_index=False,
    )
    scorer = Scorer(
        job_for(
            elsewhere,
            model.content,
            batch.schema,
            on_error="null",
            writes="parquet",
        )
    )
    part = scorer.score(ParquetChunk(batch, 11))
    assert part.n_faulty == 2
    assert [fault.split(":")[0] for fault in part.faults] == [
        'row 12, column "size"',
        'row 12, column "colour"',
        'row 13, column "colour"',
    ]
    assert part.content["prediction"].to_pylist()[1:] == [None, None]


@pytest.mark.parametrize("on_error", ["stop", "skip", "null"])
def test_a_batch_of_which_no_row_fits(on_error: str, elsewhere: Path) -> None:
    model = build("catboost")
    frame = model.data.head(3).assign(colour="gold", id=[1, 2, 3])
    batch = pa.RecordBatch.from_pandas(frame, preserve_index=False)
    options: dict[str, Any] = {
        "keep": ("id",),
        "on_error": on_error,
        "writes": "parquet",
    }
    job = job_for(elsewhere, model.content, batch.schema, **options)
    part = Scorer(job).score(ParquetChunk(batch, 1))
    assert part.n_faulty == 3
    written = part.content["id"].to_pylist()
    assert written == ([1, 2, 3] if on_error == "null" else [])


def test_sampled_values_have_their_standard_errors(elsewhere: Path) -> None:
    """They stood in the responses of the service, and were lost in a file."""
    values = np.random.default_rng(0).normal(size=(60, 10))
    rows = pd.DataFrame(values, columns=[f"x{n}" for n in range(10)])
    model = KNeighborsRegressor().fit(rows, values[:, 0])
    features = [{"name": name, "type": "numeric"} for name in rows]
    artifact = {
        "model": model,
        "metadata": {"features": features},
        "samples": rows.head(5),
    }
    text = rows.head(ROWS).to_csv(index=False)
    written = table(*score(elsewhere, artifact, text, explain=True))
    records = rows.head(ROWS).to_dict("records")
    with client_of(artifact) as client:
        response = client.post("/predict?explain=1", json=records)
    errors = pd.DataFrame(response.get_json()["standard_error"])
    assert (errors > 0).any(axis=None)
    columns = [f"standard_error_{name}" for name in rows]
    assert written[columns].astype(float).to_numpy().tolist() == (
        errors.to_numpy().tolist()
    )


def test_the_values_of_several_outputs_add_up_to_each(elsewhere: Path) -> None:
    """They ended in a trace, as only one output may have classes."""
    rows = numbers()
    targets = np.column_stack([rows.sum(axis=1), rows.iloc[:, 0]])
    model = DecisionTreeRegressor(max_depth=4).fit(rows, targets)
    features = [{"name": name, "type": "numeric"} for name in rows]
    artifact = {"model": model, "metadata": {"features": features}}
    text = rows.head(ROWS).to_csv(index=False)
    written = table(*score(elsewhere, artifact, text, explain=True))
    written = written.astype(float)
    for output in (0, 1):
        columns = [f"shap_{output}_{name}" for name in rows]
        total = written[columns].sum(axis=1) + written[f"base_value_{output}"]
        expected = model.predict(rows.head(ROWS))[:, output]
        np.testing.assert_allclose(total, expected, rtol=1e-12)


TEXTS = [{"name": "text", "type": "string", "accepts_missing": False}]


class Length:
    """Predicts how many characters a text has."""

    def predict(self, X: Any) -> Any:
        return X["text"].str.len().to_numpy()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ('a\n"b\nc\n', "line 3: the quotation mark of a cell is not closed"),
        ('a\n"b"c\n', "line 3: a cell goes on after its quotation mark is"),
    ],
)
def test_quotation_marks_that_do_not_fit(
    rows: str, sentence: str, elsewhere: Path
) -> None:
    """The rest of the file was one text, and got one prediction."""
    with pytest.raises(JobError, match=sentence):
        score(elsewhere, content(TEXTS, Length()), "text\n" + rows)


def test_an_empty_text_is_no_missing_one(elsewhere: Path) -> None:
    """Quoted as pandas writes it, it is a text; before, it was missing."""
    text = 'id,text\n1,""\n2,"a "", b"\n3,\n""""\n'
    _, parts = score(
        elsewhere,
        content(TEXTS, Length()),
        text,
        keep=("id",),
        on_error="null",
    )
    assert b"".join(part.content for part in parts) == b'1,0\n2,6\n3,\n"""",\n'
    assert faults(parts) == [
        'line 4, column "text": missing: the feature has no default and '
        "accepts no missing value",
        "line 5: expected 2 cells, got 1",
    ]


def test_an_empty_text_that_is_a_category(elsewhere: Path) -> None:
    entry = {"name": "x", "type": "category", "categories": ["", "a"]}
    rows = pd.DataFrame({"x": pd.Categorical(["", "a", "a", ""])})
    model = make_pipeline(OneHotEncoder(), DecisionTreeRegressor())
    artifact = content([entry], model.fit(rows, [1, 2, 2, 1]))
    _, parts = score(elsewhere, artifact, 'x\n""\na\n')
    assert b"".join(part.content for part in parts) == b"1.0\n2.0\n"


def test_lines_that_end_with_a_carriage_return_alone(elsewhere: Path) -> None:
    model = build("catboost")
    with pytest.raises(Unprocessable, match="carriage return alone"):
        score(elsewhere, model.content, rows_of(model, lineterminator="\r"))


@pytest.mark.parametrize("writes", ["csv", "parquet"])
def test_infinite_results_are_none_beside_faults_too(
    writes: str, elsewhere: Path
) -> None:
    rows = pd.DataFrame({"x": [1.0, 2.0], "y": 0.0})
    model = TransformedTargetRegressor(
        LinearRegression(), func=np.log, inverse_func=np.exp
    ).fit(rows, np.exp(rows["x"]))
    artifact = content(model=model)
    for text in ("x,y\n1,0\n1000,0\n", "x,y\n1,0\n1000,0\nz,0\n"):
        options = {"on_error": "null", "writes": writes}
        _, parts = score(elsewhere, artifact, text, **options)
        if writes == "csv":
            lines = b"".join(part.content for part in parts).splitlines()
            texts = [line.strip(b'"') for line in lines]
            results = [float(text) if text else None for text in texts]
        else:
            (part,) = parts
            results = part.content.column("prediction").to_pylist()
        assert results[0] == pytest.approx(np.e)
        assert results[1:] == [None] * (len(results) - 1)


def parquet(
    folder: Path, artifact: Any, table: pa.Table, **options: Any
) -> Part:
    """Return the part that a table makes."""
    job = job_for(folder, artifact, table.schema, **options)
    (batch,) = table.combine_chunks().to_batches()
    return Scorer(job).score(ParquetChunk(batch, 1))


def test_two_columns_of_parquet_with_one_name(elsewhere: Path) -> None:
    """The first one was taken."""
    columns = [pa.array([1.0]), pa.array([2.0]), pa.array([3.0])]
    table = pa.Table.from_arrays(columns, names=["x", "y", "x"])
    with pytest.raises(Unprocessable, match='the header has "x" 2 times'):
        parquet(elsewhere, content(), table)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1], [2]]),
        pa.array([b"a", b"b"]),
        pa.array([{"a": 1}, {"a": 2}]),
    ],
    ids=["lists", "bytes", "structs"],
)
def test_columns_to_keep_that_no_cell_holds(
    column: Any, elsewhere: Path
) -> None:
    """Lists tore the rows in two."""
    table = pa.table({"x": [0.0, 1.0], "y": [0.0, 1.0], "more": column})
    options: dict[str, Any] = {"keep": ("more",)}
    with pytest.raises(JobError, match="which CSV does not: write Parquet"):
        parquet(elsewhere, content(), table, writes="csv", **options)
    part = parquet(elsewhere, content(), table, writes="parquet", **options)
    assert part.content.column("more").to_pylist() == column.to_pylist()


def test_labels_that_are_objects_as_parquet(elsewhere: Path) -> None:
    """The labels of a column of a DataFrame ended in a trace."""
    labels = pd.Series(["no", "yes", "yes"], dtype=object)
    model = LogisticRegression().fit(X, labels)
    job = job_for(elsewhere, content(model=model), "x,y", writes="parquet")
    plan = Scorer(job).plan
    assert plan.empty.schema.field("prediction").type == pa.string()
    beside = elsewhere / "out.parquet"
    writer = ParquetWriter(beside, plan.empty)
    chunk = next(CsvStream(BytesIO(b"x,y\n0,1\n2,3\n")).chunks(","))
    writer.write(Scorer(job).score(chunk).content)
    writer.close()
    written = pd.read_parquet(beside)["prediction"]
    assert written.tolist() == model.predict(X.iloc[[0, 2]]).tolist()


def test_a_row_of_too_few_cells_keeps_those_it_has(elsewhere: Path) -> None:
    text = "id,x,y\n7,1\n8,1,2\n9,1,2,3\n"
    options = {"keep": ("id",), "on_error": "null"}
    plan, parts = score(elsewhere, content(), text, **options)
    assert table(plan, parts)["id"].tolist() == ["7", "8", "9"]


def test_guesses_are_made_for_what_is_shown_alone(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two thousand misspelt names took half a minute."""
    guesses = []

    def count(_: Guesses, name: str) -> str:
        guesses.append(name)
        return ""

    monkeypatch.setattr(Guesses, "suggest", count)
    header = ",".join(f"z{number}" for number in range(2000))
    with pytest.raises(Unprocessable, match="and 1992 more"):
        score(elsewhere, content(), f"{header}\n")
    assert len(guesses) == layouts.SHOWN_FAULTS


def test_a_decimal_comma_is_told_its_option(elsewhere: Path) -> None:
    _, parts = score(elsewhere, content(), "x;y\n1,5;2\n")
    assert faults(parts)[0].endswith("unless --decimal , says otherwise")
