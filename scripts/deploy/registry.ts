/** What to do where images must go to a cluster of the user's own, and nobody said by which registry. */
export const NO_REGISTRY =
  "REGISTRY is not set: the tests' images are built here and reach your cluster by a registry. Say where you may push and its nodes may pull, as in REGISTRY=registry.example.com/me (log in there first, with buildah, podman or docker)";
