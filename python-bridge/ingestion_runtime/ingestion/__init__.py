"""One unit run: export, import, clean-up."""

from ingestion_runtime.ingestion.runtime import RuntimeEnvironment, run_ingestion

__all__ = ["RuntimeEnvironment", "run_ingestion"]
