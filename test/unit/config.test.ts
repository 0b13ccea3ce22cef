import { describe, expect, test } from "vitest";
import { modelEndpoint, readAgentSettings, readConfig } from "../../lib/config.ts";

describe("settings", () => {
  test("an empty one counts as not set", () => {
    expect(readConfig({ FUNCTION: "approve", PORT: "", BROKER_URL: "" })).toMatchObject({ PORT: 8080 });
  });

  test("all wrong ones are said at once, by their names", () => {
    expect(() => readConfig({ FUNCTION: "", PORT: "70000", LOG_LEVEL: "loud" })).toThrow(
      /FUNCTION: is not set.*PORT: .*LOG_LEVEL: /s,
    );
  });

  test("an agent by image gets those with the prefix, without it, and no others", () => {
    const env = { AGENT_REDIS_URL: "redis://agent@redis", AGENT_EMPTY: "", STEP_TOKEN_PRIVATE_KEY: "secret" };
    expect(readAgentSettings(env)).toEqual({ REDIS_URL: "redis://agent@redis" });
  });
});

describe("the model's endpoint", () => {
  test.each<[string, Parameters<typeof modelEndpoint>[0], ReturnType<typeof modelEndpoint>]>([
    ["none without a key or an address", { LLM_API_KEY: "lite" }, undefined],
    [
      "OpenAI's own, which never gets LiteLLM's key",
      { OPENAI_API_KEY: "open", LLM_API_KEY: "lite" },
      { baseUrl: "https://api.openai.com/v1", apiKey: "open" },
    ],
    [
      "LiteLLM's, with its own key",
      { OPENAI_API_KEY: "open", LLM_BASE_URL: "http://litellm/v1", LLM_API_KEY: "lite" },
      { baseUrl: "http://litellm/v1", apiKey: "lite" },
    ],
    ["one that takes any key", { LLM_BASE_URL: "http://litellm/v1" }, { baseUrl: "http://litellm/v1", apiKey: "none" }],
  ])("is %s", (_what, env, endpoint) => {
    expect(modelEndpoint(env)).toEqual(endpoint);
  });
});
