"""Dtypes are named as pandas names them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from python.model.data.dtypes import (
    find_limits,
    holds_missing,
    read_dtype,
    type_of,
)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("float32", "float32"),
        ("int", "int64"),
        (int, "int64"),
        (np.dtype("int8"), "int8"),
        ("O", "object"),
        ("Int64", "Int64"),
        (pd.BooleanDtype(), "boolean"),
        ("string", "string"),
        ("datetime64[ns, Europe/Paris]", "datetime64[ns, Europe/Paris]"),
        ("category", "category"),
        ("flaot64", None),
        ("", None),
        (5, None),
        (["int64"], None),
    ],
)
def test_a_dtype_is_named_or_unknown(dtype: Any, name: str | None) -> None:
    assert read_dtype(dtype) == name


@pytest.mark.parametrize(
    ("name", "type_name", "missing"),
    [
        ("float16", "numeric", True),
        ("Float32", "numeric", True),
        ("int8", "integer", False),
        ("UInt8", "integer", True),
        ("bool", "boolean", False),
        ("boolean", "boolean", True),
        ("datetime64[us]", "datetime", True),
        ("datetime64[ns, UTC]", "datetime", True),
        ("string", "string", True),
        ("category", "category", True),
        ("object", "object", True),
        ("timedelta64[ns]", "timedelta64[ns]", True),
    ],
)
def test_a_dtype_belongs_to_a_type(
    name: str, type_name: str, missing: bool
) -> None:
    assert type_of(name) == type_name
    assert holds_missing(name) is missing


def test_limits_are_those_of_the_dtype_or_of_int64() -> None:
    assert find_limits("int8") == (-128, 127)
    assert find_limits("UInt8") == (0, 255)
    assert find_limits("float32") == (-(2**63), 2**63 - 1)
