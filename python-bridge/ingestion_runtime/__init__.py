"""Runs ingestion units: the runtime, its events and the command line."""

from ingestion_runtime.cli import run_cli

__all__ = ["run_cli"]
