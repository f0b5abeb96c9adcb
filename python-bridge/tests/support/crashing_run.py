"""Runs one unit and may die at a failpoint: ``request.json staging metadata attempt``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ingestion_runtime.ingestion import RuntimeEnvironment, run_ingestion
from runtime_common.contracts import RunIngestionUnitInput
from runtime_common.endpoints import EndpointFactory
from runtime_common.run_metadata import RunMetadataFolder
from runtime_common.spark import SparkEngine
from runtime_common.staging import PROVIDER_ID, LocalDirectoryStaging

if __name__ == "__main__":
    request, staging, metadata, attempt = sys.argv[1:]
    run_ingestion(
        RunIngestionUnitInput.model_validate(json.loads(Path(request).read_text())),
        RuntimeEnvironment(
            factory=EndpointFactory(secret_key=None, spark=SparkEngine(jars=None)),
            staging={PROVIDER_ID: LocalDirectoryStaging(Path(staging))},
            metadata=RunMetadataFolder(Path(metadata)),
            attempt=int(attempt),
        ),
    )
