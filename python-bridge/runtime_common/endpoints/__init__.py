"""Sources and sinks, one module each, behind :class:`EndpointFactory`.

A new endpoint is a module with a config model, a descriptor, a class of the protocol and an ``ENDPOINT``, named in
``factory.py``, or in another package by an entry point (``plugin.py``).
"""

from runtime_common.endpoints.factory import EndpointFactory

__all__ = ["EndpointFactory"]
