"""What can be asked of one endpoint beside a run: does it work, what does an object hold, what is there.

Each operation takes the contract's input and answers with the contract's result, for the activities and for the
command line alike.
"""

from ingestion_runtime.operations.collect import CollectionProgress, collect_metadata
from ingestion_runtime.operations.connection_test import CONFIG_STEP, run_connection_test
from ingestion_runtime.operations.preview import preview_metadata, preview_of

__all__ = [
    "CONFIG_STEP",
    "CollectionProgress",
    "collect_metadata",
    "preview_metadata",
    "preview_of",
    "run_connection_test",
]
