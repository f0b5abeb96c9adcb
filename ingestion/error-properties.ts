import type { ErrorRecord, PropertyPatch } from '#graph-store';

/** An error as nodes hold it; null takes one away. */
export function errorProperties(error: ErrorRecord | null): PropertyPatch {
  return {
    errorCode: error?.code ?? null,
    errorCategory: error?.category ?? null,
    errorField: error?.field ?? null,
    errorMessage: error?.message ?? null,
  };
}
