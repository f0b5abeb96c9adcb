"""What Hadoop's client throws, as the errors of a local disk."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from runtime_common.spark import java_reason

if TYPE_CHECKING:
    from py4j.protocol import Py4JJavaError

_ERRNO = {
    "java.io.FileNotFoundException": errno.ENOENT,
    "org.apache.hadoop.fs.FileAlreadyExistsException": errno.EEXIST,
    "org.apache.hadoop.fs.ParentNotDirectoryException": errno.ENOTDIR,
    "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException": errno.ENOTEMPTY,
    "org.apache.hadoop.security.AccessControlException": errno.EACCES,
    "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException": errno.EDQUOT,
    "org.apache.hadoop.hdfs.protocol.NSQuotaExceededException": errno.EDQUOT,
    "org.apache.hadoop.hdfs.protocol.QuotaByStorageTypeExceededException": errno.EDQUOT,
    "java.net.ConnectException": errno.EHOSTUNREACH,
    "java.net.NoRouteToHostException": errno.EHOSTUNREACH,
    "java.net.SocketTimeoutException": errno.EHOSTUNREACH,
    "java.net.UnknownHostException": errno.EHOSTUNREACH,
    "org.apache.hadoop.ipc.StandbyException": errno.EHOSTUNREACH,
    "org.apache.hadoop.hdfs.server.namenode.SafeModeException": errno.EHOSTUNREACH,
}
# Said by a name node that finds no data node with room for a block.
_NO_ROOM = "could only be written to 0 of the"


def os_error(error: Py4JJavaError) -> OSError:
    """Return the error of a local disk that means the same; its text is Hadoop's first line."""
    java = error.java_exception
    name = java.getClass().getName()
    if name == "org.apache.hadoop.ipc.RemoteException":
        name = java.getClassName()
    reason = java_reason(error)
    number = errno.ENOSPC if _NO_ROOM in reason else _ERRNO.get(name, errno.EIO)
    return OSError(number, reason)
