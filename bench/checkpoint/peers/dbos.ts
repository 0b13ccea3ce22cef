/** `dbos.ts POSTGRES_URL`: a DBOS workflow of five steps on PostgreSQL. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { serveRounds } from "../contender.ts";

DBOS.setConfig({ name: "bench", systemDatabaseUrl: process.argv[2] ?? "", logLevel: "error" });
const run = DBOS.registerWorkflow(
  async (id: string) => {
    for (const name of ["one", "two", "three", "four", "five"]) await DBOS.runStep(async () => name, { name });
    return id;
  },
  { name: "run" },
);
await DBOS.launch();
serveRounds((id) => run(id));
