"""Runs ingestion units: the runtime, its events and the command line."""

from ingestion_runtime.command_line import run_cli

__all__ = ["run_cli"]
