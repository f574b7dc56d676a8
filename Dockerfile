# The image of the service. It names its own Redis and PostgreSQL by REDIS_URL and DATABASE_URL.
# The embedded servers are not in it. `deploy/replay_dockerfile` replays these steps without an
# engine for containers.

# Debian 12 with Python 3.11. Pin the digest of the base in your own registry.
FROM python:3.11-slim-bookworm AS build
COPY requirements.lock pyproject.toml README.md LICENSE /src/
# Wheels alone: nothing is compiled, so no stage has a compiler.
RUN python -m venv /opt/checker \
 && /opt/checker/bin/pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes \
      -r /src/requirements.lock
COPY checker /src/checker
COPY cache /src/cache
RUN /opt/checker/bin/pip install --no-cache-dir --no-compile --no-deps /src \
 && /opt/checker/bin/pip uninstall --yes --quiet setuptools pip \
 && python -m compileall -q /opt/checker/lib

FROM python:3.11-slim-bookworm
RUN useradd --uid 10001 --user-group --home-dir /var/lib/checker --create-home checker \
 && chmod 700 /var/lib/checker
COPY --from=build /opt/checker /opt/checker
# By number, so that Kubernetes can see that this is not root.
USER 10001:10001
ENV PATH=/opt/checker/bin:/usr/local/bin:/usr/bin:/bin \
    CHECKER_DATA_DIR=/var/lib/checker \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# With a read-only root file system, /tmp must be a tmpfs: the counts of /metrics are there.
VOLUME /var/lib/checker
EXPOSE 8000
# The worker lives. Whether checks can be answered is /readyz: a restart mends no outage of a store.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
ENTRYPOINT ["checker"]
CMD ["serve", "--host", "0.0.0.0", "--workers", "2"]
