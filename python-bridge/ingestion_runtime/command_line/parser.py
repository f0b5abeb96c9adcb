"""Commands, options and exit codes."""

from __future__ import annotations

import argparse
from pathlib import Path

from runtime_common.settings import (
    DEFAULT_METADATA_ROOT,
    DEFAULT_SPARK_JARS_DIR,
    DEFAULT_STAGING_MEMORY_BYTES,
    DEFAULT_STAGING_ROOT,
)

EXIT_CODES = {"internal": 1, "config": 2, "source": 3, "sink": 4, "data": 5, "transient": 6}
"""By the category of a failure."""
EXIT_BUSY = 7
EXIT_CANCELLED = 130
MAX_PREVIEW_ROWS = 1_000

_UNIT_FILE = f"""\
The unit file is JSON:

  {{ "endpointId": "demo-postgres", "unitId": "flights", "sinkId": "demo-iceberg",
    "source": {{ "endpointId": "demo-postgres", "templateId": "jdbc_postgres", "config": {{ … }} }},
    "sink":   {{ "endpointId": "demo-iceberg",  "templateId": "iceberg",       "config": {{ … }} }},
    "unit":   {{ "object": {{ "schema": "public", "table": "flights" }},
                "mode": "incremental", "cursorField": "time_hour",
                "primaryKey": ["time_hour", "carrier", "flight"], "target": "flights", "writeMode": "merge" }},
    "policy": {{ "sliceRows": 200000 }},
    "stagingProviderId": "local_directory" }}

A config value {{"$env": "NAME"}} is taken from that environment variable; a {{"$sealed": …}} one is opened with the
server's key.

environment:
  HTTP_ALLOWED_NETWORKS    networks that HTTP sources may reach beside public addresses
  STAGING_ROOT             directory of staged slices (default {DEFAULT_STAGING_ROOT})
  STAGING_MEMORY_BYTES     what "in_memory" staging may hold (default {DEFAULT_STAGING_MEMORY_BYTES})
  STAGING_URL              where "hdfs_directory" staging is, as hdfs://host:port/path
  METADATA_ROOT            directory of metadata that a source leaves (default {DEFAULT_METADATA_ROOT})
  SPARK_JARS_DIR           folder of the Iceberg runtime jar (default {DEFAULT_SPARK_JARS_DIR})
  NUCLEUS_SECRET_KEY_FILE  file with the base64 key that opens sealed secrets (or NUCLEUS_SECRET_KEY)
"""
_EXIT_TEXT = f"""\
exit codes:
  0 done · 1 internal fault · 2 config or unit · 3 source · 4 sink · 5 data · 6 transient, try again ·
  {EXIT_BUSY} the checkpoint file is in use · {EXIT_CANCELLED} cancelled
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="ingestion.py",
        description="Runs ingestion units of Nucleus, and asks endpoints, without Temporal and server.",
        epilog=f"{_UNIT_FILE}\n{_EXIT_TEXT}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, epilog: str = f"{_UNIT_FILE}\n{_EXIT_TEXT}") -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.add_argument("--json", action="store_true", help="print the result as JSON")
        return made

    def unit_file(made: argparse.ArgumentParser) -> None:
        made.add_argument("unit_file", type=Path, metavar="UNIT.json", help="what to read and where to write it")

    for name, text in (
        ("run", "run one unit and keep its checkpoint in a local file"),
        ("resume", "repeat the run that the checkpoint file remembers as unfinished, under its own id"),
    ):
        moving = command(name, text)
        unit_file(moving)
        moving.add_argument(
            "--checkpoint",
            type=Path,
            required=True,
            metavar="FILE",
            help="checkpoint of this unit and sink; made by the first run",
        )
        moving.add_argument("--quiet", action="store_true", help="show no progress")
    preview = command("preview", "show some rows of what the unit reads")
    unit_file(preview)
    preview.add_argument(
        "--limit", type=_row_count, default=20, metavar="ROWS", help="rows at most, up to 1000 (default 20)"
    )
    preview.add_argument(
        "--mask",
        action="append",
        default=[],
        metavar="COLUMN",
        help="column whose values are not shown; may be given again",
    )
    test = command("test", "test the connection to the unit's source and sink")
    unit_file(test)
    test.add_argument("--only", choices=("source", "sink"), help="test one of them (default: both)")
    command("templates", "list the endpoint templates of this worker", epilog=_EXIT_TEXT)
    return parser


def _row_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MAX_PREVIEW_ROWS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MAX_PREVIEW_ROWS}")
    return count
