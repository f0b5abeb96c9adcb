"""What every part of the data plane shares: contracts, cursors, staging, checkpoints' state and endpoints."""
