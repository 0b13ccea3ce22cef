#!/bin/sh
# What lib/edges/chromium.ts starts, and what a pod needs beyond it. The last of two flags of a name counts.
# No sandbox: its namespaces need a capability, or a seccomp profile, that a restricted pod has not. The pod is the sandbox.
set -- "$@" --no-sandbox
# Only the proxy resolves names, and here the proxy has one itself: without it, no page is reached.
set -- "$@" "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ${EGRESS_PROXY_HOST:-*.svc.cluster.local}"
# Not by /usr/bin/chromium: it would put these first again.
exec /usr/lib/chromium/chromium "$@"
