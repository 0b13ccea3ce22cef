// What is built from github.com/grafana/grafana-foundation-sdk; go.sum is its lock file.
module agentic.dev/cluster/grafana-schema

go 1.26.0

require github.com/grafana/grafana-foundation-sdk/go v0.0.22
