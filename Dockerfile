# The base image. To build the same image again, name it by its digest:
# docker-compose build --build-arg PYTHON_IMAGE=python@sha256:... service
ARG PYTHON_IMAGE=python:3.13-slim

# This stage installs the packages. Those without a wheel for this machine need a compiler.
FROM ${PYTHON_IMAGE} AS packages
RUN apt-get update && apt-get install --yes --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
# The last character is a pattern, as there may be no lock.
COPY requirements.txt requirements-service.txt requirements.loc[k] python/production/packages.py ./
# pip and the tests of the largest packages are removed: together they take a hundred megabytes.
RUN python packages.py install \
    && pip uninstall --yes pip \
    && cd /opt/venv/lib/python*/site-packages \
    && find numpy pandas scipy sklearn -type d -name tests -prune -exec rm -rf {} +


FROM ${PYTHON_IMAGE} AS base
# LightGBM's wheel needs libgomp.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
# Group 0 has the same rights as the user: some platforms, such as OpenShift, run a container as a
# user of their choice, but always in this group.
RUN useradd --uid 10001 --gid 0 --no-create-home --home-dir /run/service service \
    && install --directory --mode=770 --group=0 --owner=10001 /run/service
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=5000 TMPDIR=/run/service
WORKDIR /srv
USER 10001:0
EXPOSE 5000
HEALTHCHECK --interval=5s --timeout=5s --start-period=15m CMD ["python", "-m", "python.production", "ready"]


# Compose mounts the code over /srv.
FROM base AS development
CMD ["python", "service.py"]


FROM base AS production
COPY . .
ENTRYPOINT ["python", "-m", "python.production"]
CMD ["serve"]
