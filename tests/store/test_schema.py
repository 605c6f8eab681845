"""Every column says what it means, and wall-clock time appears where the clock has been applied only."""

import pyarrow as pa
import pytest
from tables import SCHEMAS

PIXELS = {"x1", "y1", "x2", "y2", "width", "height"}
COLUMNS = [pytest.param(field, id=f"{table}.{field.name}") for table, kind in SCHEMAS.items() for field in kind]


@pytest.mark.parametrize("field", COLUMNS)
def test_a_column_states_its_meaning(field: pa.Field) -> None:
    assert field.metadata is not None
    assert len(field.metadata[b"meaning"].decode().strip()) >= 4


@pytest.mark.parametrize("field", [column for column in COLUMNS if column.values[0].name in PIXELS])
def test_a_length_in_the_picture_is_in_pixels(field: pa.Field) -> None:
    assert b"pixels" in field.metadata[b"meaning"]


@pytest.mark.parametrize("table", SCHEMAS)
def test_only_the_tables_of_match_hold_wall_clock_time(table: str) -> None:
    """A corrected clock must not make anything stale before `match`."""
    times = {field.name for field in SCHEMAS[table] if pa.types.is_temporal(field.type)}
    assert times == ({"start", "end"} if table in {"TRACKLETS", "IDENTITIES"} else set())


@pytest.mark.parametrize("field", [column for column in COLUMNS if pa.types.is_temporal(column.values[0].type)])
def test_wall_clock_time_is_utc_in_microseconds(field: pa.Field) -> None:
    assert field.type == pa.timestamp("us", "UTC")


def test_names_within_a_table_are_unique() -> None:
    for kind in SCHEMAS.values():
        assert len(set(kind.names)) == len(kind.names)
