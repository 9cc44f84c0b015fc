// Google's client for Node against a served database: BIGQUERY_EMULATOR_HOST, of `mallard serve -env`, says where it is, NODE_PATH where the
// package @google-cloud/bigquery is.
const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { BigQuery } = require("@google-cloud/bigquery");

async function main() {
  const bigquery = new BigQuery({ projectId: process.env.PROJECT_ID ?? "test-project", apiEndpoint: process.env.BIGQUERY_EMULATOR_HOST });
  await bigquery.dataset("node").delete({ force: true }).catch(() => {});
  const [dataset] = await bigquery.createDataset("node", { location: "US", labels: { by: "node" } });
  const [names] = await bigquery.getDatasets();
  assert(names.some((d) => d.id === "node"));

  const schema = [
    { name: "n", type: "INTEGER", mode: "REQUIRED" },
    { name: "name", type: "STRING" },
    { name: "at", type: "TIMESTAMP" },
    { name: "tags", type: "STRING", mode: "REPEATED" },
    { name: "in", type: "RECORD", fields: [{ name: "x", type: "FLOAT" }] },
  ];
  const [table] = await dataset.createTable("t", { schema, description: "ducks" });
  await table.insert([{ n: 1, name: "a", at: BigQuery.timestamp(new Date(0)), tags: ["x", "y"], in: { x: 1.5 } }, { n: 2, name: null }]);
  const [rows] = await table.getRows();
  assert.deepEqual(rows.map((r) => [r.n, r.name, r.tags, r.in]).sort(), [[1, "a", ["x", "y"], { x: 1.5 }], [2, null, [], null]]);
  assert.equal(rows.find((r) => r.n === 1).at.value, "1970-01-01T00:00:00.000Z");

  const [found] = await bigquery.query({
    query: "SELECT n, @d AS d, @s AS s, @list AS list FROM node.t WHERE n = @n",
    params: { n: 1, d: BigQuery.date("2020-01-02"), s: { a: 1, b: "é" }, list: [1, 2] },
  });
  assert.equal(JSON.stringify(found), '[{"n":1,"d":{"value":"2020-01-02"},"s":{"a":1,"b":"é"},"list":[1,2]}]');
  const [placed] = await bigquery.query({ query: "SELECT ? + ? AS x", params: [1, 2] });
  assert.equal(placed[0].x, 3);

  const [job] = await bigquery.createQueryJob({ query: "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 25000)) AS x", location: "US" });
  const [all] = await job.getQueryResults();
  assert.equal(all.length, 25000);
  let streamed = 0;
  for await (const row of bigquery.createQueryStream("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 30000)) AS x")) streamed += row.x > 0 ? 1 : 0;
  assert.equal(streamed, 30000);
  const [dry] = await bigquery.createQueryJob({ query: "SELECT n FROM node.t", dryRun: true });
  assert.equal(dry.metadata.statistics.totalBytesProcessed, "16");

  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "node-")), "f.csv");
  fs.writeFileSync(file, "n,name\n3,c\n4,d\n");
  const [loaded] = await dataset.table("loaded").load(file, { sourceFormat: "CSV", autodetect: true });
  assert.equal(loaded.statistics.load.outputRows, "2");
  const [copied] = await dataset.table("loaded").copy(dataset.table("copied"));
  assert.equal(copied.status.state, "DONE");
  await table.setMetadata({ description: "geese" });
  assert.equal((await table.getMetadata())[0].description, "geese");
  const [tables] = await dataset.getTables();
  assert.deepEqual(tables.map((t) => t.id).sort(), ["copied", "loaded", "t"]);
  await assert.rejects(bigquery.query("SELECT * FROM node.missing"), /Not found: Table test-project:node.missing/);
  await assert.rejects(bigquery.createDataset("node"), (e) => e.code === 409);
  const [policy] = await table.getIamPolicy();
  assert.equal(policy.version, 1);
  await dataset.delete({ force: true });
  console.log("node: ok");
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
