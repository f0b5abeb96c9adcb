/** Properties of a run of the platform, whole enough for the lists that show all of them; other tests read those in the same graph. */
export function platformRun(id: string) {
  return { id, fence: 1, endpointId: id, unitId: 'unit', sinkId: 'sink', state: 'SUCCEEDED' } as const;
}

/** The same for a unit. */
export function platformUnit(id: string) {
  return {
    id: 'unit',
    endpointId: id,
    object: '{}',
    mode: 'full',
    primaryKey: [],
    policy: '{}',
    stagingProviderId: 'memory',
  } as const;
}
