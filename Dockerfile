# Lathe for a machine with an NVIDIA GPU.
#
#   docker build -t lathe .
#   docker run --gpus all -p 127.0.0.1:8080:8080 -v lathe:/var/lib/lathe lathe
#
# The build needs no GPU. All its steps are in scripts/build-image.sh, which also runs on a plain Debian or Ubuntu.
# Settings are environment variables; docs/operations.md lists them.

# The same base in both stages, so that the binary meets the C library it was built with. The compilers come from
# NVIDIA's PyPI packages with the versions that the tests use, so the small base image is enough to build as well.
ARG BASE=nvidia/cuda:12.8.1-base-ubuntu24.04

FROM ${BASE} AS build
WORKDIR /src
COPY . .
RUN sh scripts/build-image.sh /opt/lathe

# The driver's own library, libcuda, is not in the image: the NVIDIA container toolkit puts the host's in at start.
# NVIDIA_REQUIRE_CUDA replaces the base image's: the kernels run on every driver for CUDA 12 and later.
FROM ${BASE} AS runtime
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    NVIDIA_REQUIRE_CUDA=cuda>=12.0 \
    LATHE_DATA_DIR=/var/lib/lathe \
    LATHE_LISTEN=0.0.0.0:8080 \
    LATHE_CONTRACTS=/opt/lathe/contracts \
    PATH=/opt/lathe/bin:$PATH
COPY --from=build /opt/lathe /opt/lathe
RUN sh /opt/lathe/setup/runtime.sh
USER 10001:10001
WORKDIR /var/lib/lathe
VOLUME /var/lib/lathe
EXPOSE 8080
# A stop lets the proof in work finish for LATHE_DRAIN_SECONDS (20): give it as much, `docker stop --time 30`.
STOPSIGNAL SIGTERM
# Keys are made at the first start, which takes seconds to minutes before the server answers.
HEALTHCHECK --interval=15s --timeout=5s --start-period=10m --retries=3 \
    CMD ["lathe", "status"]
ENTRYPOINT ["lathe"]
CMD ["serve"]
