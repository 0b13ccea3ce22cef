import { defineConfig } from "vitepress";
import { mermaidFences } from "./mermaid.ts";
import { copyPages } from "./pages.ts";
import { repositoryLinks } from "./repository-links.ts";

/** The site of the Markdown files of the repository: `make docs`. */
export default defineConfig({
  title: "Agentic Kubernetes",
  description: "Durable AI agents on Kubernetes, described by resources and run by functions that scale to zero.",
  srcDir: copyPages(),
  outDir: "../dist/docs",
  cacheDir: "../dist/docs-cache",
  cleanUrls: true,
  // VitePress' compiler knows no later one.
  vite: { esbuild: { target: "es2022", tsconfigRaw: {} } },
  markdown: {
    config(markdown) {
      repositoryLinks(markdown);
      mermaidFences(markdown);
    },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: [
      { text: "Quickstart", link: "/quickstart" },
      { text: "Concepts", link: "/concepts" },
      { text: "Install", link: "/install" },
      { text: "Reference", link: "/reference/agentworkload" },
    ],
    sidebar: [
      {
        text: "Start",
        items: [
          { text: "Quickstart", link: "/quickstart" },
          { text: "Concepts", link: "/concepts" },
          { text: "Questions", link: "/faq" },
          { text: "Compared with others", link: "/comparison" },
        ],
      },
      {
        text: "Build",
        items: [
          { text: "Your own agent", link: "/your-own-agent" },
          { text: "Pipelines", link: "/pipelines" },
          { text: "Gates and reviews", link: "/gates" },
          { text: "Access to single hosts", link: "/host-access" },
          { text: "The functions over HTTP", link: "/functions" },
          { text: "By Knative's CLI", link: "/func" },
        ],
      },
      {
        text: "Operate",
        items: [
          { text: "By Helm", link: "/install" },
          { text: "By plain YAML", link: "/deploy" },
          { text: "Scaling", link: "/scaling" },
          { text: "Upgrade, back up, restore", link: "/upgrade" },
          { text: "kubectl agentic", link: "/kubectl-agentic" },
          { text: "Observability and cost", link: "/observability" },
          { text: "Runbooks", link: "/runbooks/README" },
          { text: "Secrets", link: "/secrets" },
          { text: "Licence and limits", link: "/licence" },
          { text: "Usage", link: "/usage" },
          { text: "Security", link: "/SECURITY" },
        ],
      },
      {
        text: "Reference",
        items: [
          { text: "AgentWorkload", link: "/reference/agentworkload" },
          { text: "AgentPipeline", link: "/reference/agentpipeline" },
          { text: "Agent", link: "/reference/agent" },
          { text: "AgentSchedule", link: "/reference/agentschedule" },
          { text: "AgentDecision", link: "/reference/agentdecision" },
          { text: "Metrics", link: "/reference/metrics" },
          { text: "Audit", link: "/reference/audit" },
        ],
      },
      {
        text: "Inside",
        items: [
          { text: "Diagrams", link: "/diagrams" },
          { text: "Architecture", link: "/ARCHITECTURE" },
          { text: "Decisions", link: "/adr/README" },
          { text: "Benchmarks", link: "/bench/README" },
          { text: "Contributing", link: "/CONTRIBUTING" },
          { text: "Releases", link: "/releases" },
          { text: "Changes", link: "/CHANGELOG" },
        ],
      },
    ],
  },
});
