# Node 24 comes with the dependencies: what they bring is found first.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: help setup demo test check build docs image release bench clean deploy deploy-for-tests cluster cluster-down cluster-status verify

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## install what is missing: dependencies, Chromium, Redis
	@scripts/setup.sh

demo: setup ## a Visual Market Analysis of ten sample sites, to a report you can open
	@node examples/demo.ts

test: setup ## every check and every test
	@node scripts/test.ts

check: setup ## types, lint, format, generated files, unused exports
	@npm run --silent check

build: setup ## bundle the functions into dist/
	@npm run --silent build

docs: setup ## the site of the documents, into dist/docs
	@npm --prefix docs ci --silent && npm --prefix docs run --silent build

image: setup ## build the container image (buildah, podman or docker), and say how large it is
	@node scripts/image.ts

release: setup ## what a release consists of, into dist/release (KEY=FILE signs it; DRAFT=1: without)
	@node scripts/release.ts $(KEY:%=--key %) $(DRAFT:%=--draft)

bench: setup ## every benchmark (one: make bench NAME=cost)
	@npm run --silent bench -- $(NAME)

deploy: setup ## install into the cluster of KUBECONFIG (IMAGE=NAME), or without it into the test cluster
	@node scripts/deploy.ts $(IMAGE:%=--image %)

deploy-for-tests: setup ## the same with what the tests need; into KUBECONFIG's by way of REGISTRY=NAME
	@node scripts/deploy.ts --for-tests '$(REGISTRY)' $(IMAGE:%=--image %)

cluster: setup ## a real Kubernetes here, with Argo Workflows and Knative (Linux, root, Go; the first time half an hour)
	@node test/cluster/main.ts up

cluster-down: setup ## end that cluster and remove everything of it but what was built
	@node test/cluster/main.ts down

cluster-status: setup ## its parts: up or not, memory, logs
	@node test/cluster/main.ts status

verify: setup ## random pipelines on a cluster whose parts are killed at random (SEED=, MINUTES=); make cluster deploy first
	@node test/kubernetes/verification/main.ts $(SEED:%=--seed %) $(MINUTES:%=--minutes %)

clean: ## remove what was built and every local run
	rm -rf dist agentic-runs
