"""Tell an OpenLineage server of one run, by openlineage-python as the environment sets it up.

Prints the id of the run. Arguments: namespace, suffix of the names of the job and of the data set that it writes.
"""

import sys

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    InputDataset,
    Job,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
)
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    job_type_job,
    schema_dataset,
)
from openlineage.client.uuid import generate_new_uuid

namespace, suffix = sys.argv[1:]
run = Run(runId=str(generate_new_uuid()))
job = Job(
    namespace=namespace,
    name=f"copy_{suffix}",
    facets={"jobType": job_type_job.JobTypeJobFacet(processingType="BATCH", integration="TEST", jobType="TASK")},
)
warehouse = "postgres://db:5432"
orders = f"{namespace}.public.orders"
columns = column_lineage_dataset.ColumnLineageDatasetFacet(
    fields={
        "id": column_lineage_dataset.Fields(
            inputFields=[column_lineage_dataset.InputField(namespace=warehouse, name=orders, field="order_id")]
        )
    }
)
schema = schema_dataset.SchemaDatasetFacet(fields=[schema_dataset.SchemaDatasetFacetFields(name="id", type="int")])
inputs = [InputDataset(namespace=warehouse, name=orders)]
outputs = [
    OutputDataset(
        namespace=f"s3://{namespace}", name=f"copies_{suffix}", facets={"schema": schema, "columnLineage": columns}
    )
]
client = OpenLineageClient()
for state, at in ((RunState.START, "08:00"), (RunState.RUNNING, "08:30"), (RunState.COMPLETE, "09:00")):
    client.emit(
        RunEvent(
            eventType=state,
            eventTime=f"2026-01-31T{at}:00Z",
            run=run,
            job=job,
            inputs=inputs,
            outputs=outputs,
            producer="https://example.com/nucleus-tests",
        )
    )
if not client.close(timeout=30):
    sys.exit("the client could not send all of its events")
sys.stdout.write(run.runId)
