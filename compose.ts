import { createPublicKey, type KeyObject } from "node:crypto";
import type { Hono } from "hono";
import { type Config, modelEndpoint } from "./lib/config.ts";
import { type Artifacts, openArtifacts } from "./lib/edges/artifacts.ts";
import type { Logger } from "./lib/log.ts";
