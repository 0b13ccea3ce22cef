#!/usr/bin/env node
import { argoEngine } from "../functions/reconcile/argo/engine.ts";
import { connectCluster } from "./kubectl/cluster.ts";
import { complete } from "./kubectl/complete.ts";
import { createProgram } from "./kubectl/program.ts";

// The completion that kubectl's shells ask for: `kubectl completion` finds a program of this name on the PATH, and gives it the words after
// `kubectl agentic`, the last of them unfinished.
const connect = (options: Parameters<typeof connectCluster>[0]) => connectCluster(options, argoEngine);
const words = process.argv.slice(2);
const names = async (options: Parameters<typeof connect>[0]): Promise<string[]> =>
  (await connect(options).workloads(false)).map(({ metadata }) => metadata.name);
process.stdout.write(await complete(createProgram(connect), words, names));
