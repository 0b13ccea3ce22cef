# The product's one image: every function, and FUNCTION chooses at run time. `make image` builds it, and says how large it is.
#
# Both bases are arguments. Any glibc Debian does: only a few files of it end up in the image. A release pins the digests;
# scripts/image.ts makes both with debootstrap where no image registry can be reached.
ARG BASE=docker.io/library/debian:bookworm-slim
ARG BUILD=docker.io/library/node:24-bookworm-slim

FROM ${BUILD} AS build
WORKDIR /src
RUN command -v strip >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils; }
COPY package.json package-lock.json .npmrc ./
# Not npm ci: see scripts/setup.sh. The machine's own npm settings and certificates are lent to this step alone.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca \
    NODE_EXTRA_CA_CERTS=/run/secrets/ca npm install --no-save --loglevel=error
COPY . .
RUN npm run --silent build
# What is in it, for scanners: CycloneDX of the npm packages, and below of Debian's as distroless images have them.
RUN mkdir -p /image/usr/share/sbom && npm sbom --sbom-format cyclonedx --omit dev >/image/usr/share/sbom/npm.cdx.json
# What the bundle leaves outside (scripts/build.ts), with what that needs; of playwright-core only what drives a browser over CDP.
RUN set -eu; \
    mkdir -p /image/app/node_modules /image/usr/local/bin; \
    strip -s -o /image/usr/local/bin/node node_modules/node/bin/node; \
    mv dist /image/app/; \
    for package in sharp @img detect-libc semver playwright-core; do cp -r node_modules/$package /image/app/node_modules/; done; \
    cd /image/app; \
    printf '{ "type": "module" }\n' >package.json; \
    rm -rf node_modules/playwright-core/bin node_modules/playwright-core/types node_modules/playwright-core/lib/vite; \
    rm -rf node_modules/sharp/src node_modules/sharp/install node_modules/semver/bin; \
    find node_modules -name '*.d.ts' -delete; \
    # Compiled code of every module, as Node keeps it for one user and one path: a start then compiles nothing.
    mkdir -m 777 compile-cache; \
    printf '%s' "for (const name of (await import('node:fs')).readdirSync('/app/dist')) if (name !== 'main.js') await import('/app/dist/' + name);" \
      "await import('sharp'); await import('playwright-core'); process.exit(0)" >warm.js

FROM ${BASE} AS system
RUN set -eu; \
    if ! [ -e /etc/ssl/certs/ca-certificates.crt ] || ! ldconfig -p | grep -q libstdc++; then \
      apt-get update -qq; apt-get install -y -qq --no-install-recommends ca-certificates libstdc++6; \
    fi; \
    mkdir -p /image/etc/ssl/certs /image/tmp; \
    chmod 1777 /image/tmp; \
    # The loader, and the libraries of Node and of sharp's native part; the last three look up host names.
    cp --parents -L /lib*/ld-linux-*.so.* /image/; \
    for name in libc libm libdl libpthread librt libgcc_s libstdc++ libresolv libnss_dns libnss_files; do \
      cp --parents -L /lib/*-linux-gnu/$name.so.[0-9] /image/; \
    done; \
    cp -L /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/; \
    mkdir -p /image/var/lib/dpkg/status.d; \
    for name in libc6 libgcc-s1 libstdc++6 ca-certificates; do \
      dpkg-query --status $name >/image/var/lib/dpkg/status.d/$name; \
    done; \
    printf 'hosts: files dns\n' >/image/etc/nsswitch.conf; \
    printf 'root:x:0:0:root:/:/nologin\nnonroot:x:65532:65532:nonroot:/tmp:/nologin\n' >/image/etc/passwd; \
    printf 'root:x:0:\nnonroot:x:65532:\n' >/image/etc/group

FROM scratch
COPY --from=system /image/ /
COPY --from=build /image/ /
WORKDIR /app
ENV NODE_ENV=production HOME=/tmp NODE_COMPILE_CACHE=/app/compile-cache SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# A number: Kubernetes' runAsNonRoot cannot tell who a name is.
USER 65532:65532
RUN ["/usr/local/bin/node", "/app/warm.js"]
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
