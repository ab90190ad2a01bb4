# The service alone: slim, not root, content with a read-only file system. docs/service.md has more.
#   docker build -t tenfold .
#   docker run --rm --read-only --cap-drop all --security-opt no-new-privileges -p 127.0.0.1:8000:8000 -v tenfold:/data tenfold
FROM python:3.12-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE requirements-serve.lock requirements-build.lock ./
COPY src src
# Versions and hashes of requirements.lock, without the other extras; what builds the wheel is locked too, and stays out of the image.
ARG PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --requirement requirements-build.lock \
 && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir wheel . \
 && python -m venv /opt/tenfold \
 && /opt/tenfold/bin/pip install --require-hashes --requirement requirements-serve.lock \
 && /opt/tenfold/bin/pip install --no-index --no-deps wheel/*.whl

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tenfold && install -d -o tenfold -m 700 /data
COPY --from=build /opt/tenfold /opt/tenfold
ENV PATH=/opt/tenfold/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 XDG_DATA_HOME=/data
USER 10001
# Corrected digits, if a user of the page agrees; everything else may be read-only.
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tenfold", "serve", "--host", "0.0.0.0"]
