"""Draw docs/waterfall.png, and print the responses of docs/reading-explanations.md.

They are responses of the service to requests for the models of docs/model-file.md and of
python/example, and for a support vector machine, whose values are sampled.
"""

import json
import re
import runpy
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeAlias

from flask.testing import FlaskClient
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from python.app import create_app
from python.model import load_model
from python.model.artifact import Artifact
from python.model.sklearn import SklearnModel
from python.settings import Settings

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "python" / "example"
PASSENGER = {"sex": "female", "cabin_class": 2, "alone": True, "age": None}
OTHER = {"sex": "male", "cabin_class": 3, "alone": True, "age": 30}
APPLICANT = {"income": 25000, "age": 41, "housing": None}
NUMBERS = {"feature1": 1, "feature2": 1, "feature3": 2}
PATIENT_ROW = 100
SAMPLES = 50
# Told apart by those who see few colours; the signs beside the bars say the same.
RAISED = "#e69f00"
LOWERED = "#0072b2"
WHOLE = "#666666"
BAR_HEIGHT = 0.6

Response: TypeAlias = dict[str, Any]


def responses() -> list[Response]:
    """Return the responses in the order in which the page shows them."""
    passengers = client_of(script_of_the_page())
    compared = {"_data": PASSENGER, "_samples": [OTHER]}
    applicants = client_of((EXAMPLES / "build_lgbm_binary.py").read_text())
    levels = client_of((EXAMPLES / "build_rf_multiclass.py").read_text())
    return [
        explain(passengers, PASSENGER),
        explain(applicants, APPLICANT),
        explain(levels, NUMBERS),
        explain(passengers, compared),
        sampled(),
    ]


def script_of_the_page() -> str:
    """Return the script in docs/model-file.md that writes the model of the passengers."""
    text = (ROOT / "docs" / "model-file.md").read_text()
    scripts = re.findall(
        r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL
    )
    (script,) = [script for script in scripts if "joblib.dump(" in script]
    return str(script)


def client_of(script: str) -> FlaskClient:
    """Return a client of a service with the `model.joblib` that a script writes."""
    with TemporaryDirectory() as folder, chdir(folder):
        path = Path("script.py")
        path.write_text(script)
        runpy.run_path(str(path))
        model = load_model(Path("model.joblib"), "SKLEARN_MODEL")
    return create_app(Settings(), model).test_client()


def explain(client: FlaskClient, body: Any) -> Response:
    """Return what the service responds to a request for an explanation."""
    response = client.post("/predict?proba=1&explain=1", json=body)
    content: Response = response.get_json()
    return content


def sampled() -> Response:
    """Return the response of a model with too many features to try all coalitions."""
    data, target = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    features = [{"name": name, "type": "numeric"} for name in data]
    machine = make_pipeline(StandardScaler(), SVR(C=100)).fit(data, target)
    content = {
        "model": machine,
        "metadata": {"features": features},
        "samples": data.head(SAMPLES),
    }
    model = SklearnModel.load(Artifact.of(content))
    client = create_app(Settings(), model).test_client()
    patient = data.iloc[PATIENT_ROW].to_dict()
    response = client.post("/predict?explain=1", json=patient)
    of_patient: Response = response.get_json()
    return of_patient


class Bar(NamedTuple):
    """One line of the waterfall."""

    label: str
    start: float
    width: float
    colour: str
    text: str


def bars_of(response: Response, record: Response) -> list[Bar]:
    """Return the base value, a bar for each feature, and the sum.

    A bar starts where the one before it ended.
    """
    level = response["base_value"]
    bars = [Bar("base value", 0.0, level, WHOLE, f"{level:.4f}")]
    for name, value in response["explanation"].items():
        label = f"{name} is {json.dumps(record[name])}"
        if value < 0:
            text = f"\N{MINUS SIGN}{-value:.4f}"
            bars.append(Bar(label, level, value, LOWERED, text))
        else:
            bars.append(Bar(label, level, value, RAISED, f"+{value:.4f}"))
        level += value
    bars.append(Bar("this passenger", 0.0, level, WHOLE, f"{level:.4f}"))
    return bars


def draw(bars: list[Bar], path: Path) -> None:
    """Write a picture of the bars, each with its number to the right."""
    size = (8, 0.5 + 0.55 * len(bars))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot(xlabel='probability of "survived"', xlim=(0, 1))
    for line, bar in enumerate(bars):
        axes.barh(
            line, bar.width, BAR_HEIGHT, left=bar.start, color=bar.colour
        )
        end = bar.start + bar.width
        right = max(bar.start, end)
        axes.text(right + 0.01, line, bar.text, verticalalignment="center")
        if line < len(bars) - 1:  # a thin line to where the next bar starts
            axes.plot([end, end], [line, line + 1], color=WHOLE, linewidth=0.8)
    axes.set_yticks(range(len(bars)), [bar.label for bar in bars])
    axes.invert_yaxis()
    axes.grid(axis="x", color="#cccccc", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    shown = responses()
    for response in shown:
        print(json.dumps(response, indent=2))
    bars = bars_of(shown[0], PASSENGER)
    draw(bars, ROOT / "docs" / "waterfall.png")
