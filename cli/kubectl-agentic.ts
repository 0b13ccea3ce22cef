#!/usr/bin/env node
import { argoEngine } from "../functions/reconcile/argo/engine.ts";
import { connectCluster } from "./kubectl/cluster.ts";
import { createProgram } from "./kubectl/program.ts";
import { runProgram } from "./run-program.ts";

// kubectl finds a program of this name on the PATH, and runs it as `kubectl agentic`.
await runProgram(createProgram((options) => connectCluster(options, argoEngine)));
