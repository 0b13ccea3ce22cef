// Kinds that the Helm chart has objects of where a cluster has them, for their schemas; go.sum is the lock file. Nothing of them is built.
module agentic.dev/cluster/optional-kinds

go 1.26.0

require (
	github.com/cilium/cilium v1.18.4
	github.com/external-secrets/external-secrets v0.16.2
	sigs.k8s.io/gateway-api v1.4.0
)
