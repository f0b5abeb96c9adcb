"""The command line: units and endpoints without a control plane. docs/ingestion-cli.md describes it for users."""

from ingestion_runtime.command_line.main import run_cli

__all__ = ["run_cli"]
