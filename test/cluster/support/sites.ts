import { startSampleSites } from "../../../examples/serve.ts";
import { forward } from "./forward.ts";

/**
 * The ten sample sites and the fifty pages, each under its own host name: whoever asks says which in the Host header. Who shows that they are
 * known (test/kubernetes/host-access.test.ts) reads it in the title.
 */
export async function serveSites(port: number): Promise<void> {
  const sites = await startSampleSites({
    edit: (_page, html, { "x-known": known }) =>
      known === undefined ? undefined : html.replace("<title>", `<title>Known by ${known.length} characters: `),
  });
  await forward(port, sites.port);
  console.log(JSON.stringify({ sites: sites.hosts.length }));
}
