# The packages, with a compiler at hand for those that have no wheel for this machine.
FROM python:3.13-slim AS packages
RUN apt-get update && apt-get install --yes --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt requirements-service.txt ./
# Without pip, and without the tests that the largest packages bring: a hundred megabytes.
RUN pip install --no-cache-dir --requirement requirements-service.txt --requirement requirements.txt \
    && pip uninstall --yes pip \
    && cd /opt/venv/lib/python*/site-packages \
    && find numpy pandas scipy sklearn -type d -name tests -prune -exec rm -rf {} +


FROM python:3.13-slim AS base
# LightGBM's wheel expects to find libgomp.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
# Group 0, with the same rights: some platforms give a container any user, but always this group.
RUN useradd --uid 10001 --gid 0 --no-create-home --home-dir /run/service service \
    && install --directory --mode=770 --group=0 --owner=10001 /run/service
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=5000 TMPDIR=/run/service
WORKDIR /srv
USER 10001:0
EXPOSE 5000
HEALTHCHECK --interval=5s --timeout=5s --start-period=15m CMD ["python", "-m", "python.production", "ready"]


# The code is mounted over /srv.
FROM base AS development
CMD ["python", "service.py"]


FROM base AS production
COPY . .
ENTRYPOINT ["python", "-m", "python.production"]
CMD ["serve"]
