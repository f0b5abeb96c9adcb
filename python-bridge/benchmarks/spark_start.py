"""One first job on Spark: ``python -m benchmarks.spark_start warm|cold JARS``."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.waiting import await_word, tell_result
from runtime_common.spark import SparkEngine


def main() -> None:
    """Run the job when told to; the engine of ``warm`` has run one before."""
    state, jars = sys.argv[1:]
    engine = SparkEngine(jars=Path(jars))
    if state == "warm":
        engine.warm_up()
    await_word()
    with engine.session() as spark:
        rows = spark.range(1).count()
    tell_result(rows=rows)
    engine.close()


if __name__ == "__main__":
    main()
