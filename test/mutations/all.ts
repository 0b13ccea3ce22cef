import { ACCESS_MUTATIONS } from "./access.ts";
import { ADMIT_MUTATIONS } from "./admit.ts";
import { APPROVE_MUTATIONS } from "./approve.ts";
import { BROWSER_MUTATIONS } from "./browser.ts";
import { CAPTURE_MUTATIONS } from "./capture.ts";
import { COMPARISON_MUTATIONS } from "./comparison.ts";
import { CONTRACT_MUTATIONS } from "./contract.ts";
import { CORRECTIONS_MUTATIONS } from "./corrections.ts";
import { COST_MUTATIONS } from "./cost.ts";
import { DURABLE_MUTATIONS } from "./durable.ts";
import { EGRESS_MUTATIONS } from "./egress.ts";
import { ENGINE_MUTATIONS } from "./engine.ts";
import { EXTRACTION_MUTATIONS } from "./extraction.ts";
import { LICENCE_MUTATIONS } from "./licence.ts";
import { MODEL_MUTATIONS } from "./model.ts";
import type { Mutation } from "./mutation.ts";
import { PLUGIN_MUTATIONS } from "./plugin.ts";
import { QUOTA_MUTATIONS } from "./quota.ts";
import { RECONCILE_MUTATIONS } from "./reconcile.ts";
import { RELEASE_MUTATIONS } from "./release.ts";
import { REPORT_MUTATIONS } from "./report.ts";
import { RUNS_MUTATIONS } from "./runs.ts";
import { SCHEDULE_MUTATIONS } from "./schedule.ts";
import { SECRETS_MUTATIONS } from "./secrets.ts";
import { SETUP_MUTATIONS } from "./setup.ts";
import { TELEMETRY_MUTATIONS } from "./telemetry.ts";
import { USAGE_MUTATIONS } from "./usage.ts";

/** In the order in which they run. */
export const MUTATIONS: readonly Mutation[] = [
  ...ENGINE_MUTATIONS,
  ...CAPTURE_MUTATIONS,
  ...COMPARISON_MUTATIONS,
  ...CONTRACT_MUTATIONS,
  ...EGRESS_MUTATIONS,
  ...BROWSER_MUTATIONS,
  ...RECONCILE_MUTATIONS,
  ...SCHEDULE_MUTATIONS,
  ...APPROVE_MUTATIONS,
  ...CORRECTIONS_MUTATIONS,
  ...PLUGIN_MUTATIONS,
  ...RUNS_MUTATIONS,
  ...SECRETS_MUTATIONS,
  ...SETUP_MUTATIONS,
  ...RELEASE_MUTATIONS,
  ...ADMIT_MUTATIONS,
  ...QUOTA_MUTATIONS,
  ...LICENCE_MUTATIONS,
  ...EXTRACTION_MUTATIONS,
  ...REPORT_MUTATIONS,
  ...MODEL_MUTATIONS,
  ...COST_MUTATIONS,
  ...DURABLE_MUTATIONS,
  ...TELEMETRY_MUTATIONS,
  ...ACCESS_MUTATIONS,
  ...USAGE_MUTATIONS,
];
