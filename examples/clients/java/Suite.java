import com.google.cloud.NoCredentials;
import com.google.cloud.bigquery.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Google's client for Java against a served database: BIGQUERY_EMULATOR_HOST, of `mallard serve -env`, says where it is. */
public class Suite {
  static void want(Object got, Object want) {
    if (!String.valueOf(got).equals(String.valueOf(want))) {
      throw new AssertionError("got " + got + ", want " + want);
    }
  }

  static List<String> rows(TableResult r) {
    List<String> all = new ArrayList<>();
    for (FieldValueList row : r.iterateAll()) {
      List<String> values = new ArrayList<>();
      row.forEach(v -> values.add(v.isNull() ? "null" : v.getAttribute() == FieldValue.Attribute.PRIMITIVE ? v.getStringValue() : v.getValue().toString()));
      all.add(String.join(",", values));
    }
    return all;
  }

  public static void main(String[] args) throws Exception {
    BigQuery bigquery = BigQueryOptions.newBuilder().setProjectId("test-project").setHost(System.getenv("BIGQUERY_EMULATOR_HOST"))
        .setCredentials(NoCredentials.getInstance()).build().getService();
    bigquery.delete("java", BigQuery.DatasetDeleteOption.deleteContents());
    bigquery.create(DatasetInfo.newBuilder("java").setLocation("US").setLabels(Map.of("by", "java")).build());
    want(bigquery.getDataset("java").getLabels(), "{by=java}");
    Schema schema = Schema.of(
        Field.newBuilder("n", StandardSQLTypeName.INT64).setMode(Field.Mode.REQUIRED).build(),
        Field.of("name", StandardSQLTypeName.STRING),
        Field.of("made", StandardSQLTypeName.TIMESTAMP),
        Field.newBuilder("tags", StandardSQLTypeName.STRING).setMode(Field.Mode.REPEATED).build());
    TableId t = TableId.of("java", "t");
    bigquery.create(TableInfo.newBuilder(t, StandardTableDefinition.of(schema)).setDescription("ducks").build());
    InsertAllResponse inserted = bigquery.insertAll(InsertAllRequest.newBuilder(t)
        .addRow(Map.of("n", 1, "name", "a", "made", "1970-01-01T00:00:01Z", "tags", List.of("x", "y"))).addRow(Map.of("n", 2)).build());
    want(inserted.hasErrors(), false);
    want(rows(bigquery.listTableData(t, schema)).size(), 2);
    TableResult found = bigquery.query(QueryJobConfiguration.newBuilder("SELECT n, name, @d AS d, ARRAY_LENGTH(@l) AS l FROM java.t WHERE n = @n")
        .addNamedParameter("n", QueryParameterValue.int64(1)).addNamedParameter("d", QueryParameterValue.date("2020-01-02"))
        .addNamedParameter("l", QueryParameterValue.array(new Long[] {1L, 2L}, Long.class)).build());
    want(rows(found), "[1,a,2020-01-02,2]");
    FieldValueList row = bigquery.query(QueryJobConfiguration.of("SELECT made, tags FROM java.t WHERE n = 1")).iterateAll().iterator().next();
    want(row.get("made").getTimestampInstant(), "1970-01-01T00:00:01Z");
    want(row.get("tags").getRepeatedValue().size(), 2);
    want(rows(bigquery.query(QueryJobConfiguration.of("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 25000)) AS x"))).size(), 25000);
    Job job = bigquery.create(JobInfo.of(QueryJobConfiguration.newBuilder("SELECT 7 AS x").setDestinationTable(TableId.of("java", "made")).build())).waitFor();
    want(job.getStatus().getError(), null);
    want(rows(job.getQueryResults()), "[7]");
    Job dry = bigquery.create(JobInfo.of(QueryJobConfiguration.newBuilder("SELECT n FROM java.t").setDryRun(true).setUseQueryCache(false).build()));
    want(((JobStatistics.QueryStatistics) dry.getStatistics()).getTotalBytesProcessed(), 16);
    try (TableDataWriteChannel w = bigquery.writer(WriteChannelConfiguration.newBuilder(TableId.of("java", "loaded"), FormatOptions.csv())
        .setAutodetect(true).build())) {
      w.write(ByteBuffer.wrap("n,name\n3,c\n4,d\n".getBytes(StandardCharsets.UTF_8)));
      w.close();
      Job loaded = w.getJob().waitFor();
      want(((JobStatistics.LoadStatistics) loaded.getStatistics()).getOutputRows(), 2);
    }
    want(bigquery.create(JobInfo.of(CopyJobConfiguration.of(TableId.of("java", "copied"), TableId.of("java", "loaded")))).waitFor().getStatus().getError(), null);
    want(bigquery.getTable(t).toBuilder().setDescription("geese").build().update().getDescription(), "geese");
    int tables = 0;
    for (Table x : bigquery.listTables("java").iterateAll()) {
      tables++;
    }
    want(tables, 4);
    want(bigquery.getIamPolicy(t).getBindings().size(), 0);
    try {
      bigquery.query(QueryJobConfiguration.of("SELECT * FROM java.missing"));
      throw new AssertionError("a table that is missing");
    } catch (BigQueryException e) {
      want(e.getCode(), 404);
    }
    want(bigquery.getTable(TableId.of("java", "missing")), null);
    bigquery.delete("java", BigQuery.DatasetDeleteOption.deleteContents());
    System.out.println("java: ok");
    System.exit(0);
  }
}
