"""HTTP for sources: a client that reaches public addresses only, waits politely and never takes a fault for an answer.

HttpClient       requests with retries, limits and a typed error for everything that is no answer
AddressRules     which addresses may be reached (the setting HTTP_ALLOWED_NETWORKS)
Authorization    what proves who asks: nothing, fixed headers, or tokens that expire (OAuth 2)
"""

from runtime_common.http.addresses import AddressRules
from runtime_common.http.auth import Authorization, ClientCredentials, FixedCredentials
from runtime_common.http.client import Answer, HttpClient
from runtime_common.http.limits import HttpLimits

__all__ = [
    "AddressRules",
    "Answer",
    "Authorization",
    "ClientCredentials",
    "FixedCredentials",
    "HttpClient",
    "HttpLimits",
]
