"""Columns that a unit declares over JSON: where each is found, and its exact type.

DeclaredField      one column, as a user writes it
FieldReader        takes its value out of a parsed document, exactly or not at all
BadValueError      why a document can be no row
"""

from runtime_common.endpoints.json_rows.fields import BadValueError, DeclaredField, FieldReader, steps_of

__all__ = ["BadValueError", "DeclaredField", "FieldReader", "steps_of"]
