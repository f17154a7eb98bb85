"""A value handed to another process in a file comes back as it was, and is nobody else's to change."""

import pandas as pd
import pytest

from tradelib.store import passed


@pytest.fixture
def value():
    table = pd.DataFrame(
        {
            "period": pd.period_range("2018-01", periods=3, freq="M"),
            "partner": pd.Categorical(["5800", "5880", "5800"]),
            "name": pd.array(["Korea", None, "Perú"], "str"),
            "value_usd": [1.5, float("nan"), -0.0],
            "count": pd.array([1, 2, 3], "int8"),
        }
    )
    return {"table": table.set_index("period"), "empty": table.iloc[:0], "words": ["a", None, 3]}


def test_tables_come_back_with_their_types_and_indexes(value, tmp_path):
    passed.write(value, tmp_path / "value")
    found = passed.read(tmp_path / "value")
    assert found["words"] == value["words"]
    for name in ("table", "empty"):
        pd.testing.assert_frame_equal(found[name], value[name])


def test_what_one_reader_writes_the_next_does_not_see(value, tmp_path):
    passed.write(value, tmp_path / "value")
    mine, other = passed.read(tmp_path / "value"), passed.read(tmp_path / "value")
    mine["table"].loc[:, "value_usd"] = 7.0
    mine["table"]["count"].array[:] = 9
    for found in (other, passed.read(tmp_path / "value")):
        pd.testing.assert_frame_equal(found["table"], value["table"])


def test_a_value_outlives_its_file(value, tmp_path):
    passed.write(value, tmp_path / "value")
    found = passed.read(tmp_path / "value")
    (tmp_path / "value").unlink()
    pd.testing.assert_frame_equal(found["table"], value["table"])
