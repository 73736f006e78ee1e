# The slim image of every part but the CUDA embedding service. ARG SERVICE picks the part: embedding, worker or analysis.
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE}
ARG SERVICE
ARG EXTRAS

# Dependencies first: they change less often than our code, and this layer is the slow one.
COPY constraints.txt /src/
COPY shared/pyproject.toml /src/shared/
COPY science/pyproject.toml /src/science/
COPY services/${SERVICE}/pyproject.toml /src/services/${SERVICE}/
RUN mkdir -p /src/shared/src/gandl_shared /src/science/src/gandl_science /src/services/${SERVICE}/src/gandl_${SERVICE} \
    && python3 -m venv /opt/gandl \
    && /opt/gandl/bin/pip install --no-cache-dir --quiet --constraint /src/constraints.txt \
       "/src/shared[postgres,queue,remote,tracing,web]" /src/science "/src/services/${SERVICE}${EXTRAS}"

COPY shared /src/shared
COPY science /src/science
COPY services/${SERVICE} /src/services/${SERVICE}
RUN /opt/gandl/bin/pip install --no-cache-dir --quiet --no-deps --force-reinstall /src/shared /src/science "/src/services/${SERVICE}" \
    && useradd --system --uid 10001 --create-home gandl \
    && mkdir -p /var/lib/gandl && chown gandl /var/lib/gandl \
    && mkdir -p /var/cache/matplotlib && chown gandl /var/cache/matplotlib

USER gandl
WORKDIR /home/gandl
ENV PATH=/opt/gandl/bin:$PATH PYTHONUNBUFFERED=1 MPLCONFIGDIR=/var/cache/matplotlib
# Matplotlib takes its list of fonts only from a folder that it may write, and else makes it at each start. A volume on this
# folder begins with the list that is made here.
RUN test "${SERVICE}" != analysis || python -c 'import matplotlib.font_manager'
