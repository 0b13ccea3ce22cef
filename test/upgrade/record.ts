/**
 * `node test/upgrade/record.ts VERSION folders|cluster`: records what this tree leaves behind as that of a version, before it is released.
 * `cluster` wants the test cluster with this tree on it (make cluster deploy).
 */
const [version = "", what = ""] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+$/.test(version) || !["folders", "cluster"].includes(what)) {
  console.error("usage: node test/upgrade/record.ts VERSION folders|cluster");
  process.exit(2);
}
if (what === "folders") {
  const { recordFolders, recordLicence } = await import("./record-local.ts");
  await recordFolders(version);
  await recordLicence(version);
} else {
  const { recordCluster } = await import("./record-cluster.ts");
  await recordCluster(version);
}
