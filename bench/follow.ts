import { KubeConfig, Watch } from "@kubernetes/client-node";

/** Watches objects by their path in the API. The client ends a watch that is quiet for half a minute; this begins it again. @returns what ends it for good */
export async function follow<T>(kubeconfig: string, path: string, see: (object: T) => void): Promise<() => void> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const watch = new Watch(config);
  let stopped = false;
  let current: AbortController;
  const begin = async (): Promise<void> => {
    current = await watch.watch(
      path,
      {},
      (_type, object: T) => see(object),
      () => {
        if (!stopped) void begin();
      },
    );
  };
  await begin();
  return () => {
    stopped = true;
    current.abort();
  };
}
