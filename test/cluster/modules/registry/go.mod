// What is built from github.com/google/go-containerregistry; go.sum is its lock file.
module agentic.dev/cluster/registry

go 1.26.0

tool github.com/google/go-containerregistry/cmd/registry

require github.com/google/go-containerregistry v0.21.5 // indirect
