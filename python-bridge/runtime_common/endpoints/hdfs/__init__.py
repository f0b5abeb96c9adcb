"""HDFS: staging provider ``hdfs_directory`` and sink ``hdfs_parquet``, through the worker's Spark JVM.

    files = HadoopFiles(engine, "hdfs://namenode:8020/nucleus", scratch=local_directory)
    files.make_directory(PurePosixPath("events"))

The JVM holds Hadoop's own client. pyarrow's needs a native Hadoop on the machine, which no package brings.
"""

from runtime_common.endpoints.hdfs.files import HadoopFiles
from runtime_common.endpoints.hdfs.sink import ENDPOINT
from runtime_common.endpoints.hdfs.staging import HDFS_PROVIDER_ID, HdfsDirectoryStaging

__all__ = ["ENDPOINT", "HDFS_PROVIDER_ID", "HadoopFiles", "HdfsDirectoryStaging"]
