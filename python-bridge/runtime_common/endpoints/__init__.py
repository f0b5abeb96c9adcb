"""Sources and sinks, one module each, behind :class:`EndpointFactory`.

A new endpoint is a module with a config model, a descriptor and a class of the protocol, and a line in ``factory.py``.
"""

from runtime_common.endpoints.factory import EndpointFactory

__all__ = ["EndpointFactory"]
