"""Any history of a unit ends with exactly the source's rows in the sink: seeded, with real crashes and zombies."""

from __future__ import annotations

import pytest

from tests.support.sink_kinds import ICEBERG, PARQUET, POSTGRES_TABLES
from tests.support.unit_model import UnitModel
from tests.support.unit_process import UnitProcesses


@pytest.fixture(scope="module")
def processes():
    with UnitProcesses() as started:
        yield started


def live(seed, kind, database, processes, folder):
    model = UnitModel(seed, kind, database, processes, folder)
    try:
        model.live()
    except BaseException as error:
        error.add_note("\n".join([f"seed {seed}:", *model.told]))
        raise


@pytest.mark.parametrize("seed", range(16))
def test_files_hold_every_row_of_the_source_once(seed, database, processes, tmp_path):
    live(seed, PARQUET, database, processes, tmp_path)


@pytest.mark.parametrize("seed", range(100, 104))
def test_a_table_that_is_merged_is_the_source_as_it_is(seed, database, processes, tmp_path):
    live(seed, POSTGRES_TABLES, database, processes, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3000, 3300))
def test_a_table_that_is_merged_is_the_source_as_it_is_in_hundreds_of_lives(seed, database, processes, tmp_path):
    live(seed, POSTGRES_TABLES, database, processes, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_files_hold_every_row_of_the_source_once_in_hundreds_of_lives(seed, database, processes, tmp_path):
    live(seed, PARQUET, database, processes, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2000, 2012))
def test_a_merged_table_is_the_source_as_it_is(seed, database, processes, tmp_path):
    live(seed, ICEBERG, database, processes, tmp_path)
