import { build } from "./build/build.ts";
import { bin } from "./context.ts";
import { down } from "./down.ts";
import { startKeda, startVault, stopKeda, stopVault } from "./pods/on-demand.ts";
import { fail } from "./say.ts";
import { status } from "./status.ts";
import { up } from "./up.ts";

const [command, argument] = process.argv.slice(2);

async function main(): Promise<void> {
  if (command === "up") await up();
  else if (command === "down") await down();
  else if (command === "status") process.exitCode = (await status()) ? 0 : 1;
  else if (command === "bin" && (argument === "kubectl" || argument === "func")) console.log(bin(argument));
  else if (command === "build") await build(argument);
  else if (command === "keda" && argument === "up") await startKeda();
  else if (command === "keda" && argument === "down") await stopKeda();
  else if (command === "vault" && argument === "up") await startVault();
  else if (command === "vault" && argument === "down") await stopVault();
  else
    fail(
      "usage: node test/cluster/main.ts up|down|status|build [UPSTREAM]|bin kubectl|bin func|keda up|keda down|vault up|vault down",
    );
}

await main().catch((error: Error) => fail(error.message));
