"""The side channel: progress of runs, posted to the server. Ephemeral; losing an event loses nothing."""

from ingestion_runtime.events.poster import EventPoster
from ingestion_runtime.events.progress import Progress, ProgressSnapshot

__all__ = ["EventPoster", "Progress", "ProgressSnapshot"]
