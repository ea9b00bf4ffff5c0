# Dream Atlas in a container, by the Makefile's own commands from the same locks; docs/containers.md.
#   docker build --tag dream-atlas:cpu .
#   docker build --tag dream-atlas:cuda --build-arg ACCEL=cuda .
# The CUDA libraries come with the lock; the machine brings the driver and NVIDIA's container toolkit.
FROM python:3.11-slim-bookworm

# gcc and g++ build what comes as source; EGL and OSMesa draw MuJoCo's worlds off screen.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make git gcc g++ libegl1 libgl1 libosmesa6 \
    && rm -rf /var/lib/apt/lists/*

ARG ACCEL=cpu
ENV ACCEL=$ACCEL PATH=/atlas/.venv/bin:$PATH
WORKDIR /atlas

# Only what the set-up reads, so that other changes of the project install nothing anew.
COPY Makefile ./
COPY envs envs
RUN make setup

# Extras by the names of their targets: --build-arg EXTRAS="env-atari logger-wandb"
ARG EXTRAS=""
RUN for extra in $EXTRAS; do make "$extra" || exit 1; done

COPY . .
CMD ["make", "demo"]
