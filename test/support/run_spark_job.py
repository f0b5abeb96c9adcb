"""Run one Spark job that tells an OpenLineage server of itself, as a user's job with the listener does.

It joins two CSV folders, and writes the sums as Parquet: `orders` with `customers` into `revenue`.
Arguments: folder of the data, jar of the listener, its properties as JSON.
"""

import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

folder, jar, listener = sys.argv[1:]
settings = {
    "spark.jars": jar,
    **json.loads(listener),
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "512m",
    # The job is over before a better compiled one would be faster.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.sql.codegen.wholeStage": "false",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.warehouse.dir": f"{folder}/warehouse",
}
builder = SparkSession.builder.master("local[1]").appName("revenue_report")
for name, value in settings.items():
    builder = builder.config(name, value)

Path(folder, "orders.csv").write_text("id,customer_id,amount\n1,7,10\n2,7,5\n3,8,1\n")
Path(folder, "customers.csv").write_text("id,name\n7,Ada\n8,Grace\n")
spark = builder.getOrCreate()
orders = spark.read.csv(f"{folder}/orders.csv", header=True, schema="id int, customer_id int, amount int")
customers = spark.read.csv(f"{folder}/customers.csv", header=True, schema="id int, name string")
revenue = (
    orders.join(customers, orders.customer_id == customers.id)
    .groupBy(customers.name.alias("customer"))
    .agg(f.sum(orders.amount).alias("total"))
)
revenue.write.mode("overwrite").parquet(f"{folder}/revenue")
spark.stop()
