"""What semantic sources share: entities and links of the knowledge base beside the rows.

MetadataBuilder    collects entities, link sets and deletions, and makes tables of them
SemanticRead       a read of JSON records that leaves such metadata
"""

from runtime_common.endpoints.semantic.metadata import MetadataBuilder, urn
from runtime_common.endpoints.semantic.read import SemanticRead

__all__ = ["MetadataBuilder", "SemanticRead", "urn"]
