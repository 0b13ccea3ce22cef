import { startSampleSites } from "../../../examples/serve.ts";
import { forward } from "./forward.ts";

/** The ten sample sites and the fifty pages, each under its own host name: whoever asks says which in the Host header. */
export async function serveSites(port: number): Promise<void> {
  const sites = await startSampleSites();
  await forward(port, sites.port);
  console.log(JSON.stringify({ sites: sites.hosts.length }));
}
