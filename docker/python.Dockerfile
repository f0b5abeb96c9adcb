# Image of the Python worker with its Spark session, and of the demo's data loader.
FROM maven:3.9-eclipse-temurin-17 AS jars
COPY scripts/stack/poms/spark.xml /poms/spark.xml
RUN mvn --batch-mode --no-transfer-progress --file /poms/spark.xml dependency:copy-dependencies -DoutputDirectory=/jars

FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/venv
COPY python-bridge/requirements.lock /tmp/requirements.lock
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/requirements.lock

FROM python:3.11-slim-bookworm
# The user has the id of that of the server's image, which reads and removes previews in their common volume.
# Debian's JRE wants the folder of manual pages, which slim images lack.
RUN mkdir -p /usr/share/man/man1 \
 && apt-get update \
 && apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --create-home nucleus \
 && mkdir -p /data/staging /data/metadata /data/lake \
 && chown -R nucleus:nucleus /data
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=jars /jars /opt/spark-jars
COPY --from=packages /opt/venv /opt/venv
COPY python-bridge python-bridge
COPY scripts/demo/load_nycflights.py scripts/demo/load_nycflights.py
COPY docker/check_worker.py docker/check_worker.py
USER nucleus
CMD ["python", "python-bridge/temporal/metadata_worker.py"]
