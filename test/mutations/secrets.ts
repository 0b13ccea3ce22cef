import { type Mutation, mutationsOf } from "./mutation.ts";

const FILES = ["test/unit/secret-files.test.ts"];
const SERVERS = ["test/unit/reconcile/restart-servers.test.ts"];
const SETTINGS = ["test/unit/reconcile/new-settings.test.ts"];
const PASSWORDS = ["test/integration/redis-passwords.test.ts"];
const ARTIFACTS = ["test/integration/artifacts.test.ts"];
const MODEL = ["test/integration/model.test.ts"];

/** Secrets that are replaced while runs are under way. */
export const SECRETS_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/edges/secret-files.ts", FILES, [
    {
      why: "a process that has the newer value already goes on",
      find: "now[name] !== environment[name] && ",
      replace: "",
    },
    {
      why: "a container's own env, which differs for good, restarts nothing",
      find: " && now[name] !== first[name]",
      replace: "",
    },
    { why: "a change is one when two looks say the same", find: " && seen === previous", replace: "" },
    { why: "the kubelet's own entries are no values", find: '.filter((name) => !name.startsWith(".."))', replace: "" },
  ]),
  ...mutationsOf(
    "main.ts",
    ["test/integration/secrets-change.test.ts"],
    [
      {
        why: "a process whose Secrets have changed ends",
        find: '  process.kill(process.pid, "SIGTERM");\n',
        replace: "",
      },
    ],
  ),
  ...mutationsOf("functions/reconcile/restart-servers.ts", SERVERS, [
    {
      why: "a server that has its login goes on",
      find: "  if (before === hash) return undefined;\n",
      replace: "",
    },
    {
      why: "a server whose login was not noted yet goes on",
      find: "return before === undefined ? noted : {",
      replace: "return {",
    },
    {
      why: "a server is started anew on condition that nobody else did",
      find: "resourceVersion: metadata.resourceVersion",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/new-settings.ts", SETTINGS, [
    {
      why: "settings that everybody has are not handed on at each start",
      find: "    if ((await redis.get(KEY).catch(() => undefined)) === hash) return;\n",
      replace: "",
    },
    {
      why: "settings are noted when they have been handed on, and not before",
      find: "    await work();\n    await redis.set(KEY, hash);\n",
      replace: "    await redis.set(KEY, hash);\n    await work();\n",
    },
  ]),
  ...mutationsOf("config/redis.yaml", PASSWORDS, [
    {
      why: "an old password is refused in the end",
      find: 'tell acl setuser default resetpass ">$password"',
      replace: "true",
    },
    {
      why: "so is the agents'",
      find: 'tell acl setuser agents resetpass ">$agents"',
      replace: "true",
    },
    {
      why: "old and new hold for a time",
      find: 'tell acl setuser default ">$password"',
      replace: 'tell acl setuser default resetpass ">$password"',
    },
    {
      why: "a container that starts in between knows what the one before had set",
      find: ' && ! knows "$(cat /run/redis/password 2>/dev/null)"',
      replace: "",
    },
  ]),
  ...mutationsOf("lib/edges/artifacts/s3-client.ts", ARTIFACTS, [
    {
      why: "a login that was replaced fails no step",
      find: '    if (LOGIN_REFUSED.includes(codeOf(answer) ?? "")) throw new Error(refused);\n',
      replace: "",
    },
  ]),
  ...mutationsOf("lib/model/provider.ts", MODEL, [
    {
      why: "a key that was replaced fails no step",
      find: "      if (isKeyRefused && options.keyIsReplaced) throw keyRefused(problem);\n",
      replace: "",
    },
    {
      why: "LiteLLM without a database refuses a key in its own way",
      find: ' || errorSchema.safeParse(parseJson(body)).data?.error.type === "no_db_connection"',
      replace: "",
    },
    {
      why: "a wrong key is told at once where no other will come",
      find: "isKeyRefused && options.keyIsReplaced",
      replace: "isKeyRefused",
    },
  ]),
];
