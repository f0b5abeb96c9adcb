"""Runs an ingestion unit without Temporal: ``python python-bridge/ingestion.py --help``."""

import sys

from ingestion_runtime import run_cli

if __name__ == "__main__":
    sys.exit(run_cli())
