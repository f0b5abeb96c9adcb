/** What GraphiQL opens with, one tab each. A test runs every one of them against the schema. */
export const EXAMPLE_OPERATIONS: readonly string[] = [
  `# Where every unit stands
query Statuses {
  ingestionStatuses {
    nodes { endpointId unitId sinkId state rowsRead rowsWritten cursor { field value } error { code message } }
  }
}
`,
  `# The latest runs
query Runs {
  ingestionRuns(first: 10) {
    nodes { id endpointId unitId state startedAt endedAt stats browserUrl }
  }
}
`,
  `# What can be connected
query Templates {
  metadataEndpointTemplates { id title role capabilities writeModes configSchema }
}
`,
  `# Runs as they happen
subscription RunEvents {
  ingestionRunEvents {
    kind cursor at
    run { id unitId state }
    progress { unitId phase rowsRead rowsWritten rowsPerSecond }
  }
}
`,
];
