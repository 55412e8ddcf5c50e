# One image for web, worker and beat; docker-compose.yml says which is which.

FROM node:22-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.13-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PATH=/venv/bin:$PATH
WORKDIR /app

FROM base AS build
COPY requirements.txt ./
RUN python -m venv /venv \
    && pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY . .
COPY --from=packages /app/node_modules ./node_modules
# Readable to the account below, however strict the umask of the checkout was.
RUN python scripts/assets.py --no-install && rm -rf node_modules && chmod -R a+rX .

FROM base
# What WeasyPrint draws with; everything else comes in wheels.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin treeline \
    && install -d -o treeline -g treeline -m 0700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV DATA_DIR=/data
VOLUME /data
USER treeline
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "4", "config.wsgi:application"]
