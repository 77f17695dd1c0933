# A worker's image: the wheel and its locked dependencies on a slim Python, run by a user without rights.
# No Docker engine runs where this is developed: read with care, untried here. What can be checked without one is
# (tests/house/test_containers.py). The base is pinned by version; pin it by digest where you build.

FROM python:3.13.9-slim-trixie AS build
WORKDIR /build
RUN python -m venv /opt/croupier && python -m venv /opt/build
COPY requirements/ requirements/
RUN /opt/croupier/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md ./
COPY processor/ processor/
COPY schemas/ schemas/
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheels . \
 && /opt/croupier/bin/pip install --no-cache-dir --no-deps wheels/*.whl

FROM python:3.13.9-slim-trixie
RUN groupadd --system --gid 10001 croupier \
 && useradd --system --uid 10001 --gid croupier --no-create-home --shell /usr/sbin/nologin croupier
COPY --from=build /opt/croupier /opt/croupier
ENV PATH=/opt/croupier/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CROUPIER_HTTP_HOST=0.0.0.0 \
    CROUPIER_HTTP_PORT=8080
USER 10001:10001
EXPOSE 8080
# The loops of the lanes turn (liveness); whether Kafka and Postgres are reachable is /readyz's business.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/livez', timeout=2)"]
# SIGTERM drains: give it more time than CROUPIER_DRAIN_TIMEOUT_SECONDS before SIGKILL.
STOPSIGNAL SIGTERM
ENTRYPOINT ["croupier"]
CMD ["run"]
