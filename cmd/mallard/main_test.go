package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/mallardml/mallard/connectors/vertexai/vertextest"
)

// mallard runs the command with an empty configuration and cache.
func runMallard(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	var outBuf, errBuf bytes.Buffer
	code = run(t.Context(), args, terminal{in: strings.NewReader(stdin), out: &outBuf, err: &errBuf})
	return code, outBuf.String(), errBuf.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandLine(t *testing.T) {
	script := write(t, "a.sql", "SELECT 'one';\nSELECT\n  nope;\nSELECT 'three';\n")
	initFile := write(t, "init.sql", "CREATE TABLE t AS SELECT 7 AS i;\n.nullvalue nil\n")
	leave := write(t, "leave.sql", ".exit 5\n")
	for _, tt := range []struct {
		name  string
		stdin string
		args  []string
		code  int
		out   string
		errs  string // a part
	}{
		{"stdin", "SELECT 1 AS a;", []string{"-csv"}, 0, "a\n1\n", ""},
		{"-c", "", []string{"-csv", "-c", "SELECT 1 AS a", "-c", "SELECT 2 AS b"}, 0, "a\n1\nb\n2\n", ""},
		{"two dashes", "", []string{"--csv", "--noheader", "--c=SELECT 1"}, 0, "1\n", ""},
		{"sql after the database", "", []string{":memory:", "SELECT 1", "SELECT 2", "-list", "-noheader"}, 0, "1\n2\n", ""},
		{"-c stops at an error", "", []string{"-csv", "-c", "SELECT nope", "-c", "SELECT 2"}, 1, "", `query:1:8: Binder Error: Referenced column "nope" was not found`},
		{"-c stops within itself", "", []string{"-csv", "-noheader", "-c", "SELECT 1; SELECT nope; SELECT 3"}, 1, "1\n", "Binder Error"},
		{"-f stops at an error", "", []string{"-list", "-noheader", "-f", script}, 1, "one\n", "a.sql:3:3: Binder Error"},
		{"nothing follows a failed -f", "", []string{"-list", "-noheader", "-f", script, "-c", "SELECT 5"}, 1, "one\n", "  3 |   nope;\n        ^~~~\n"},
		{"nothing follows a failed -init", "", []string{"-list", "-noheader", "-init", script, "-c", "SELECT 5"}, 1, "one\n", "a.sql:3:3: Binder Error"},
		{"nothing follows a failed .read", "", []string{"-list", "-noheader", "-c", ".read " + script, "-c", "SELECT 5"}, 1, "one\n", "a.sql:3:3: Binder Error"},
		{"an error without a place of its own", "-- why\n\nSELECT\n error('a');\nSELECT 1; SELECT error('b');\n", []string{"-list", "-noheader"}, 1, "1\n", "stdin:3: Invalid Input Error: a\nstdin:5: Invalid Input Error: b\n"},
		{"one of a line that was typed", "", []string{"-c", "SELECT error('a')"}, 1, "", "Invalid Input Error: a\n"},
		{"stdin goes on", "SELECT nope;\nSELECT 2;\n", []string{"-list", "-noheader"}, 1, "2\n", "stdin:1:8: Binder Error"},
		{"stdin -bail", "SELECT nope;\nSELECT 2;\n", []string{"-list", "-noheader", "-bail"}, 1, "", "stdin:1:8: Binder Error"},
		{".bail off of -c", "", []string{"-csv", "-noheader", "-c", ".bail off", "-c", "SELECT nope", "-c", "SELECT 2"}, 1, "2\n", "nope"},
		{"a comment without its end", "", []string{"-csv", "-noheader", "-c", "SELECT 1; /* two\nSELECT 2;"}, 1, "1\n", "unterminated /* comment"},
		{".exit 3", "", []string{"-c", ".exit 3", "-c", "SELECT 1"}, 3, "", ""},
		{".exit 4 on stdin", "SELECT nope;\n.exit 4\n", nil, 4, "", "Binder Error"},
		{".exit 5 of -init", "", []string{"-init", leave, "-c", "SELECT 1"}, 5, "", ""},
		{"-f missing", "", []string{"-f", "/nowhere/x.sql"}, 1, "", "mallard: open /nowhere/x.sql"},
		{"-init", "", []string{"-list", "-noheader", "-init", initFile, "-c", "SELECT i, NULL FROM t"}, 0, "7|nil\n", ""},
		{"-separator", "", []string{"-csv", "-noheader", "-separator", `\t`, "-nullvalue", "", "-c", "SELECT 1, NULL, 2"}, 0, "1\t\t2\n", ""},
		{"one connection", "", []string{"-list", "-noheader", "-c", "CREATE TEMP TABLE x AS SELECT 5", "-c", "FROM x"}, 0, "5\n", ""},
		{"transaction", "BEGIN; CREATE TABLE x(i INT); ROLLBACK; FROM x;", nil, 1, "", "Table with name x does not exist"},
		{"unknown flag", "", []string{"-cvs"}, 2, "", "mallard: there is no flag -cvs, did you mean -cmd?"},
		{"missing value", "", []string{"-c"}, 2, "", "a value is missing after -c"},
		{"wrong dialect", "", []string{"-dialect", "mysql"}, 2, "", `unknown dialect "mysql"`},
		{"-var alone", "", []string{"-var", "a=b"}, 2, "", "-var belongs to mallard test"},
		{"-var without a value", "", []string{"test", "-var", "a", "."}, 2, "", "write NAME=VALUE"},
		{"a flag of the shell with test", "", []string{"test", "-csv", "."}, 2, "", "-csv does not belong to mallard test"},
		{"a flag of the shell with doctor", "", []string{"doctor", "-c", "SELECT 1"}, 2, "", "-c does not belong to mallard doctor"},
		{"emulate behind a flag", "", []string{"-csv", "emulate"}, 2, "", "emulate comes first"},
		{"help of nothing", "", []string{"help", "emualte"}, 2, "", "there is no command emualte, did you mean emulate?"},
		{"help of too much", "", []string{"help", "test", "doctor"}, 2, "", `one command, not "doctor" too`},
		{"version and more", "", []string{"version", "x"}, 2, "", "./version"},
		{"-replay alone", "", []string{"-replay", "x"}, 2, "", "-replay belongs to mallard test"},
		{"-update alone", "", []string{"-update"}, 2, "", "-update belongs to mallard test"},
		{"-readonly without a file", "", []string{"-readonly", "-c", "SELECT 1"}, 1, "", "-readonly needs a database file"},
		{"no database", "", []string{"/nowhere/x.db", "-c", "SELECT 1"}, 1, "", "mallard: open /nowhere/x.db: IO Error: Cannot open file"},
		{"missing configuration", "", []string{"-config", "/nowhere/mallard.toml", "-c", "SELECT 1"}, 1, "", "/nowhere/mallard.toml"},
		{"GoogleSQL without its analyzer", "", []string{"-c", "SELECT 1 AS `a b`"}, 1, "", "Run `mallard doctor -install googlesql`"},
		{"dashes end the flags", "", []string{"-csv", "-noheader", "--", ":memory:", "SELECT 3"}, 0, "3\n", ""},
		{".tables", "CREATE TABLE a(i INT); CREATE VIEW b AS SELECT 1;\n.tables\n.tables b\n", []string{"-list", "-noheader"}, 0, "memory|main|a|table\nmemory|main|b|view\nmemory|main|b|view\n", ""},
		{".schema", "CREATE TABLE a(i INT);\n.schema\n", nil, 0, "CREATE TABLE a(i INTEGER);\n", ""},
		{".schema of an index", "CREATE TABLE b(i INT PRIMARY KEY); CREATE INDEX a ON b(i); CREATE VIEW c AS SELECT 1; CREATE UNIQUE INDEX d ON b(i);\n.schema\n.print -\n.schema B\n.print -\n.schema a\n", nil, 0,
			"CREATE INDEX a ON b(i);\nCREATE TABLE b(i INTEGER PRIMARY KEY);\nCREATE VIEW c AS SELECT 1;\nCREATE UNIQUE INDEX d ON b(i);\n-\n" +
				"CREATE INDEX a ON b(i);\nCREATE TABLE b(i INTEGER PRIMARY KEY);\nCREATE UNIQUE INDEX d ON b(i);\n-\n", ""},
		{".schema of everything", "CREATE SCHEMA \"S s\"; CREATE TYPE \"select\" AS ENUM ('a', 'it''s'); CREATE TYPE n AS INTEGER; CREATE TYPE \"S s\".st AS STRUCT(a INT); CREATE SEQUENCE q START 3; CREATE TABLE \"S s\".t(i n);\n.schema\n.print -\n.schema s%.t\n", nil, 0,
			"CREATE SCHEMA \"S s\";\nCREATE TYPE n AS INTEGER;\nCREATE TYPE \"select\" AS ENUM ('a', 'it''s');\n-- CREATE TYPE st AS …; what it is made of: DESCRIBE SELECT NULL::st AS x;\n" +
				"CREATE SEQUENCE q INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START 3 NO CYCLE;\nCREATE TABLE \"S s\".t(i INTEGER);\n-\nCREATE TABLE \"S s\".t(i INTEGER);\n", ""},
		{"a model is no view", "CREATE VIEW m AS SELECT 'mallard/1' AS mallard_model, '{}' AS spec;\n.tables\n.schema\n", []string{"-list", "-noheader"}, 0, "memory|main|m|model\n", ""},
		{".databases", ".databases\n", []string{"-csv", "-noheader"}, 0, "memory,:memory:,false\n", ""},
		{".usage and .cache", ".usage\n.cache\n.cache clear\n", []string{"-list", "-noheader"}, 0, "0 answers removed\n", ""},
		{".model of a model that is not there", ".model nope\n", nil, 1, "", "model `nope` not found"},
		{".indexes", "CREATE TABLE b(i INT); CREATE INDEX a ON b(i);\n.indexes\n.indexes c\n.indexes B\n", nil, 0, "a\na\n", ""},
		{".dump", "CREATE TABLE t(i INT, \"select\" VARCHAR); INSERT INTO t VALUES (1, 'it''s'), (2, NULL); CREATE INDEX ix ON t(i); CREATE VIEW v AS SELECT 1; CREATE SCHEMA \"S s\"; CREATE TABLE \"S s\".u(f DOUBLE, b BLOB); INSERT INTO \"S s\".u VALUES (1.5, '\\xAA');\n.dump\n.print -\n.dump T\n", nil, 0,
			"BEGIN TRANSACTION;\nCREATE SCHEMA \"S s\";\nCREATE TABLE t(i INTEGER, \"select\" VARCHAR);\nINSERT INTO main.t VALUES(1,'it''s');\nINSERT INTO main.t VALUES(2,NULL);\n" +
				"CREATE TABLE \"S s\".u(f DOUBLE, b BLOB);\nINSERT INTO \"S s\".u VALUES(1.5,'\\xAA');\nCREATE VIEW v AS SELECT 1;\nCREATE INDEX ix ON t(i);\nCOMMIT;\n-\n" +
				"BEGIN TRANSACTION;\nCREATE TABLE t(i INTEGER, \"select\" VARCHAR);\nINSERT INTO main.t VALUES(1,'it''s');\nINSERT INTO main.t VALUES(2,NULL);\nCREATE INDEX ix ON t(i);\nCOMMIT;\n", ""},
		{".dump of a schema called as a keyword and of a composite type", "CREATE SCHEMA \"order\"; CREATE TABLE \"order\".t(i INT); INSERT INTO \"order\".t VALUES (1); CREATE TYPE p AS STRUCT(a INT); CREATE TYPE e AS ENUM ('a', 'it''s');\n.dump\n", nil, 0,
			"BEGIN TRANSACTION;\nCREATE SCHEMA \"order\";\n-- CREATE TYPE \"main\".\"p\" AS …; what it is made of: DESCRIBE SELECT NULL::\"main\".\"p\" AS x;\nCREATE TYPE \"main\".\"e\" AS ENUM ('a', 'it''s');\n" +
				"CREATE TABLE \"order\".t(i INTEGER);\nINSERT INTO \"order\".t VALUES(1);\nCOMMIT;\n", ""},
		{"-echo", "", []string{"-echo", "-csv", "-c", "SELECT 1 AS a"}, 0, "SELECT 1 AS a\na\n1\n", ""},
		{"-cmd", "SELECT 1 AS a;", []string{"-list", "-cmd", ".headers off"}, 0, "1\n", ""},
		{"-cmd stops at an error", "SELECT 1 AS a;", []string{"-list", "-cmd", "SELECT nope"}, 1, "", "nope"},
		{"-no-stdin", "SELECT 1;", []string{"-no-stdin", "-csv", "-cmd", "SELECT 3 AS a"}, 0, "a\n3\n", ""},
		{"-newline", "", []string{"-list", "-newline", ";", "-c", "SELECT 1 AS a"}, 0, "a;1;", ""},
		{"-unsigned -unredacted", "", []string{"-unsigned", "-unredacted", "-list", "-noheader", "-c", "SELECT current_setting('allow_unsigned_extensions'), current_setting('allow_unredacted_secrets')"}, 0, "true|true\n", ""},
		{"-storage-version", "", []string{"-storage-version", "nope", "-c", "SELECT 1"}, 1, "", "nope"},
		{"-safe", "", []string{"-safe", "-c", "FROM read_csv('x')"}, 1, "", "Permission Error"},
		{"-safe and files of ours", "", []string{"-safe", "-c", "CREATE MODEL m OPTIONS (MODEL_TYPE = 'TENSORFLOW', MODEL_PATH = '/x')"}, 1, "", "enable_external_access is false"},
		{"-safe and programs", "", []string{"-safe", "-c", ".shell ls"}, 1, "", ".shell cannot be used in safe mode"},
		{"-safe stays", "", []string{"-safe", "-c", "SET enable_external_access = true"}, 1, "", "locked"},
		{".open --readonly", "CREATE TABLE t(i INT);\n.open --readonly\n", nil, 1, "", "-readonly needs a database file"},
		{".open --new", "CREATE TABLE t(i INT);\n.open --new /nowhere/x.db\n", nil, 1, "", "/nowhere/x.db"},
		{"no -ui", "", []string{"-ui"}, 2, "", "there is no flag -ui"},
		{".binary", ".binary on\n", nil, 1, "", ".binary is not here: output is bytes"},
		{".models", ".models\n", []string{"-json"}, 0, "[]\n", ""},
		{"dot-commands in GoogleSQL", ".tables\n.tables a%\n.schema\n.models\n", []string{"-json", "-dialect", "bigquery"}, 0, "[]\n[]\n[]\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, errs := runMallard(t, tt.stdin, tt.args...)
			if code != tt.code || out != tt.out || !strings.Contains(errs, tt.errs) || tt.errs == "" && errs != "" {
				t.Errorf("got %d, %q, %q\nwant %d, %q, %q", code, out, errs, tt.code, tt.out, tt.errs)
			}
		})
	}
}

// closedPipe is a standard output whose reader went away.
type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
}

// TestClosedPipe: a script that a reader's end cuts short has not succeeded.
func TestClosedPipe(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	file, errs := filepath.Join(t.TempDir(), "a.duckdb"), new(bytes.Buffer)
	args := []string{file, "-csv", "-c", "SELECT 1", "-c", "CREATE TABLE t AS SELECT 1"}
	if code := run(t.Context(), args, terminal{in: strings.NewReader(""), out: closedPipe{}, err: errs}); code != 141 || errs.Len() > 0 {
		t.Errorf("exit code %d, %q", code, errs)
	}
}

func TestHelpAndVersion(t *testing.T) {
	code, out, errs := runMallard(t, "", "-help")
	if code != 0 || errs != "" || !strings.HasPrefix(out, "Mallard is ") {
		t.Errorf("got %d, %q, %q", code, out, errs)
	}
	for line := range strings.Lines(out) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	code, out, _ = runMallard(t, "", "-version")
	if code != 0 || !strings.Contains(out, "DuckDB v1.5.6") {
		t.Errorf("got %d, %q", code, out)
	}
}

func TestDatabaseFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.duckdb")
	if code, _, errs := runMallard(t, "", file, "-c", "CREATE TABLE t AS SELECT 1 AS i"); code != 0 {
		t.Fatal(errs)
	}
	code, out, errs := runMallard(t, "", "-readonly", "-list", "-noheader", file, "FROM t")
	if code != 0 || out != "1\n" {
		t.Errorf("got %d, %q, %s", code, out, errs)
	}
	code, _, errs = runMallard(t, "", "-readonly", file, "INSERT INTO t VALUES (2)")
	if code != 1 || !strings.Contains(errs, "read-only") {
		t.Errorf("got %d, %s", code, errs)
	}
	other := filepath.Join(t.TempDir(), "b.duckdb")
	code, out, errs = runMallard(t, ".open "+other+"\nCREATE TABLE u AS SELECT 2;\n.open "+file+"\nFROM t;\n.open "+other+"\nFROM u;\nFROM t;\n", "-list", "-noheader")
	if code != 1 || out != "1\n2\n" || !strings.Contains(errs, "stdin:7:6: Catalog Error: Table with name t does not exist") {
		t.Errorf("got %d, %q, %s", code, out, errs)
	}
}

func TestTestCommand(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.test": "query T\nSELECT '${WORD}'\n----\nx=y\n",
		"bad.test":  "query I\nSELECT 1\n----\n2\n",
		"new.test":  "require-env SURELY_NOT_SET\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := runMallard(t, "", "test", dir, "-var", "WORD=x=y")
	if code != 1 || errs != "" || !strings.Contains(out, "bad.test:1: the result differs in row 1") || !strings.HasSuffix(out, "1 passed, 1 failed, 1 skipped\n") {
		t.Errorf("got %d, %s, %s", code, out, errs)
	}
	if code, out, _ := runMallard(t, "", "test", "-update", dir, "-var", "WORD=x=y"); code != 0 || !strings.Contains(out, "(rewritten)") {
		t.Errorf("update: %d, %s", code, out)
	}
	if code, out, _ := runMallard(t, "", "test", dir, "-var", "WORD=x=y"); code != 0 || !strings.HasSuffix(out, "2 passed, 0 failed, 1 skipped\n") {
		t.Errorf("after the update: %d, %s", code, out)
	}
	replayed := write(t, "replay.test", "config\n[connections.default]\nproject = \"my-project\"\n\nstatement ok\nCREATE MODEL m REMOTE WITH CONNECTION DEFAULT OPTIONS(ENDPOINT='gemini-2.5-flash')\n\n"+
		"query T\nSELECT ml_generate_text_llm_result FROM ML.GENERATE_TEXT(MODEL m, (SELECT 'What does a ${BIRD} say?' AS prompt), STRUCT(TRUE AS flatten_json_output))\n----\nA duck says quack.\n")
	const tape = "../../testdata/remote/tapes/birds.jsonl"
	if code, out, _ := runMallard(t, "", "test", "-replay", tape, "-var", "BIRD=duck", replayed); code != 0 {
		t.Errorf("replay: %d, %s", code, out)
	}
	if code, out, _ := runMallard(t, "", "test", "-replay", tape, "-var", "BIRD=swan", replayed); code != 1 || !strings.Contains(out, "the record has no answer to") || !strings.Contains(out, "a swan say?") {
		t.Errorf("replay of something else: %d, %s", code, out)
	}
	if code, _, errs := runMallard(t, "", "test"); code != 2 || !strings.Contains(errs, "./test") {
		t.Errorf("without paths: %d, %s", code, errs)
	}
	if code, _, errs := runMallard(t, "", "test", "/nowhere"); code != 1 || !strings.Contains(errs, "/nowhere") {
		t.Errorf("a missing path: %d, %s", code, errs)
	}
}

func TestDoctor(t *testing.T) {
	_, out, errs := runMallard(t, "", "doctor")
	for _, want := range []string{"DuckDB v1.5.6", "configuration", "TensorFlow", "model store"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s is missing in %s%s", want, out, errs)
		}
	}
	bad := write(t, "mallard.toml", "[nonsense]\n")
	code, out, _ := runMallard(t, "", "doctor", "-config", bad)
	if code != 1 || !strings.Contains(out, "FAIL  configuration") || !strings.Contains(out, bad) {
		t.Errorf("got %d, %s", code, out)
	}
}

// TestDoctorConnections: each connection has a line with what it lacks, and no secret is shown.
func TestDoctorConnections(t *testing.T) {
	v, err := vertextest.New(vertextest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v.Start()
	defer v.Close()
	t.Setenv("MALLARD_TEST_KEY", "topsecret")
	key := write(t, "key.json", "topsecret, no JSON")
	file := write(t, "mallard.toml", `[connections.default]
project = "p"
base_url = "`+v.URL()+`"
auth = "none"
[connections.token]
project = "p"
auth = "token"
token_env = "MALLARD_TEST_UNSET"
[connections.account]
project = "p"
auth = "service_account"
credentials_file = '`+key+`'
[connections.local]
kind = "openai"
base_url = "http://127.0.0.1:1/v1"
api_key_env = "MALLARD_TEST_KEY"
`)
	code, out, errs := runMallard(t, "", "doctor", "-online", "-config", file)
	if code != 1 {
		t.Errorf("exit code %d", code)
	}
	flat := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{
		"ok connection default: vertexai, " + v.URL() + ", project p, auth none; it answers",
		"note connection token: vertexai, Vertex AI in US, project p, auth token put an access token into the environment variable MALLARD_TEST_UNSET",
		"note connection account: vertexai, Vertex AI in US, project p, auth service_account credentials_file is no JSON",
		"FAIL connection local: openai, http://127.0.0.1:1, key from $MALLARD_TEST_KEY; it does not answer",
	} {
		if !strings.Contains(flat, want) {
			t.Errorf("%q is missing in\n%s%s", want, out, errs)
		}
	}
	if strings.Contains(out+errs, "topsecret") {
		t.Error("a secret is shown")
	}
	file = write(t, "mallard.toml", "[connections.local]\nkind = 'openai'\nbase_url = 'http://me:topsecret@127.0.0.1:1/v1'\n")
	code, out, errs = runMallard(t, "", "doctor", "-online", "-config", file)
	if code != 1 || !strings.Contains(out, "base_url holds a user or password") || strings.Contains(out+errs, "topsecret") {
		t.Errorf("a password in base_url: %d\n%s%s", code, out, errs)
	}
}
