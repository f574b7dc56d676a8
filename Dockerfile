# Production image: names its own Redis and PostgreSQL by REDIS_URL and DATABASE_URL.
# The embedded servers are not in it.
FROM python:3.11-slim AS build
COPY requirements.lock pyproject.toml README.md LICENSE /src/
RUN python -m venv /opt/checker \
 && /opt/checker/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.lock
COPY checker /src/checker
COPY cache /src/cache
RUN /opt/checker/bin/pip install --no-cache-dir --no-deps /src

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/checker --create-home checker \
 && chmod 700 /var/lib/checker
COPY --from=build /opt/checker /opt/checker
USER checker
ENV PATH=/opt/checker/bin:$PATH \
    CHECKER_DATA_DIR=/var/lib/checker \
    PYTHONUNBUFFERED=1
VOLUME /var/lib/checker
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["checker"]
CMD ["serve", "--host", "0.0.0.0", "--workers", "2"]
