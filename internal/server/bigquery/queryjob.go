package bigquery

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	api "google.golang.org/api/bigquery/v2"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/extension"
	"github.com/mallardml/mallard/internal/dialect"
	"github.com/mallardml/mallard/internal/duckapi"
	"github.com/mallardml/mallard/internal/metadata"
	"github.com/mallardml/mallard/internal/quote"
	"github.com/mallardml/mallard/internal/server/wire"
)

// prepareQuery checks the description of a query's job, and says how it is run.
func (s *Service) prepareQuery(j *job) error {
	q := j.config.Query
	switch {
	case strings.TrimSpace(q.Query) == "":
		return invalid("Required parameter is missing: query")
	case q.UseLegacySql != nil && *q.UseLegacySql && strings.Contains(q.Query, partitionsSummary):
		return unsupported("Legacy SQL is not run: set useLegacySql to false, and read the partitions of a table from "+
			"`project.dataset`.INFORMATION_SCHEMA.PARTITIONS; tabledata.list reads table%s", partitionsSummary)
	case q.UseLegacySql != nil && *q.UseLegacySql && legacyTable.MatchString(q.Query):
		return unsupported("Legacy SQL is not run: set useLegacySql to false, and write `project.dataset.table` for [project:dataset.table]")
	}
	if err := dispositions(q.CreateDisposition, q.WriteDisposition); err != nil {
		return err
	}
	switch q.Priority {
	case "":
		q.Priority = "INTERACTIVE"
	case "INTERACTIVE", "BATCH":
	default:
		return invalid("Invalid value for priority: %.50s is not a valid value", q.Priority)
	}
	for i, p := range j.parameters {
		if i < len(q.QueryParameters) && q.QueryParameters[i] != nil {
			q.QueryParameters[i].ParameterValue = shown(p.ParameterValue, q.QueryParameters[i].ParameterValue)
		}
	}
	q.UseLegacySql = new(bool)
	j.statistics = queryStatistics()
	j.run = s.runQuery
	return nil
}

// shown is the value of a parameter as the job shows it: NULL is no value, and the empty STRING is one.
func shown(given *wire.ParameterValue, value *api.QueryParameterValue) *api.QueryParameterValue {
	if value == nil || given == nil || given.Value == nil && given.ArrayValues == nil && given.StructValues == nil && value.RangeValue == nil {
		return nil
	}
	if given.Value != nil {
		value.ForceSendFields = append(value.ForceSendFields, "Value")
	}
	for i := range value.ArrayValues {
		if inner := shown(given.ArrayValues[i], value.ArrayValues[i]); inner != nil {
			value.ArrayValues[i] = inner
		}
	}
	for name, inner := range value.StructValues {
		if kept := shown(given.StructValues[name], &inner); kept != nil {
			value.StructValues[name] = *kept
		} else {
			delete(value.StructValues, name)
		}
	}
	return value
}

// legacyTable is a table as only legacy SQL writes it: a truth of useLegacySql alone is what older clients send without meaning it.
var legacyTable = regexp.MustCompile(`\[[\w-]+[:.][\w:.$-]+\]`)

func queryStatistics() *api.JobStatistics {
	return &api.JobStatistics{Query: &api.JobStatistics2{
		ForceSendFields: []string{"TotalBytesProcessed", "TotalBytesBilled", "CacheHit", "BillingTier", "TotalSlotMs"},
	}}
}

// stepper is a connection of Mallard's that tells its statements one by one.
type stepper interface {
	chunked
	RunSteps(ctx context.Context, src string, args []driver.NamedValue, f extension.StepFunc) error
	AnalyzeSteps(ctx context.Context, src string, args []driver.NamedValue) ([]mallard.Analysis, error)
}

// queryRun is a job of a query as it runs.
type queryRun struct {
	s           *Service
	j           *job
	c           stepper
	script      bool
	ran         int
	transaction string // of the statements between BEGIN and its end
	// current is the job of the statement that runs.
	current *job
	last    *result // of the last query, or of the first one
	// firstSelect says that the result of a script is that of its first query.
	firstSelect bool
	into        *session
	told        extension.Job // what @@variables tell of
}

// runQuery runs the statements of a job.
func (s *Service) runQuery(ctx context.Context, j *job) error {
	q := j.config.Query
	args, err := arguments(q.ParameterMode, j.parameters)
	if err != nil {
		return err
	}
	if id, ok := aborted(q.Query); ok {
		return s.abortBy(ctx, j, id)
	}
	c, in, done, err := s.connection(ctx, j)
	if err != nil {
		return err
	}
	defer done()
	text, err := in.rewrite(q.Query)
	if err != nil {
		return err
	}
	r := &queryRun{s: s, j: j, script: isScript(text, split(text)), into: in}
	if r.told.ID = j.id; r.script {
		r.told.Script = j.id
	}
	if o := q.ScriptOptions; o != nil {
		r.firstSelect = o.KeyResultStatement == "FIRST_SELECT"
	}
	progress := &mallard.Progress{}
	j.change(func() { j.progress = progress })
	ctx = extension.WithJob(mallard.WithProgress(mallard.WithStreaming(ctx), progress), &r.told)
	ctx = extension.WithScans(ctx, r.reads)
	if q.MaximumBytesBilled > 0 {
		ctx = extension.WithTokenBudget(ctx, max(q.MaximumBytesBilled/bytesOfToken, 1))
	}
	return c.Raw(func(dc any) error {
		n, ok := dc.(stepper)
		if !ok {
			return fmt.Errorf("a connection of type %T runs no steps", dc)
		}
		r.c = n
		err := n.RunSteps(ctx, text, args, func(step extension.Step, run func() (extension.StepResult, error)) error {
			return r.step(ctx, step, run)
		})
		j.change(func() {
			if r.script {
				j.statistics.Query.StatementType, j.result = "SCRIPT", r.last
			}
		})
		if !r.script {
			s.release(r.last)
		}
		return err
	})
}

// bytesOfToken is how many bytes of maximumBytesBilled a token of a remote model counts for: nothing else costs here.
const bytesOfToken = 4

func arguments(mode string, given []wire.QueryParameter) ([]driver.NamedValue, error) {
	args, err := wire.Parameters(mode, given)
	if err != nil {
		f := invalid("%v", err)
		f.Reason, f.Location = "invalidQuery", "q"
		return nil, f
	}
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
		if n, ok := a.(sql.NamedArg); ok {
			values[i].Name, values[i].Value = n.Name, n.Value
		}
	}
	return values, nil
}

// step runs a statement: as the job, or as a child of it.
func (r *queryRun) step(ctx context.Context, step extension.Step, run func() (extension.StepResult, error)) error {
	text := step.Source[step.Pos:step.End]
	st := shape(text)
	if step.Value {
		st = statement{kind: "SELECT"}
	}
	j := r.j
	if r.script {
		j = r.child(step, text)
		r.told.ID = j.id
	}
	r.current = j
	if st.kind == "BEGIN_TRANSACTION" {
		r.transaction = newID("")
	}
	if r.transaction != "" && r.script {
		j.change(func() { j.statistics.TransactionInfo = &api.TransactionInfo{TransactionId: r.transaction} })
	}
	if st.kind == "COMMIT_TRANSACTION" || st.kind == "ROLLBACK_TRANSACTION" {
		r.transaction = ""
	}
	err := r.statement(ctx, j, st, step, run)
	if r.script {
		r.told.Last = j.id
		j.end(err)
		if r.ran%evictEvery == 0 { // a loop may have no end
			r.s.jobs.evict()
		}
	}
	return err
}

// evictEvery is after how many statements of a script old jobs are forgotten.
const evictEvery = 50

// child makes the job of a statement of a script.
func (r *queryRun) child(step extension.Step, text string) *job {
	r.ran++
	q := *r.j.config.Query
	q.Query, q.DestinationTable, q.QueryParameters, q.WriteDisposition, q.CreateDisposition = text, nil, nil, "", ""
	j := &job{id: newID("script_job_") + fmt.Sprintf("_%d", r.ran-1), config: &api.JobConfiguration{
		JobType: "QUERY", Labels: r.j.config.Labels, Query: &q,
	}}
	line, col := dialect.LineCol(step.Source, step.Pos)
	endLine, endCol := dialect.LineCol(step.Source, step.End)
	j.statistics = queryStatistics()
	kind := "STATEMENT"
	if step.Value {
		kind = "EXPRESSION"
	}
	j.statistics.ScriptStatistics = &api.ScriptStatistics{EvaluationKind: kind, StackFrames: []*api.ScriptStackFrame{{
		StartLine: int64(line), StartColumn: int64(col), EndLine: int64(endLine), EndColumn: int64(endCol), Text: text,
	}}}
	j.statistics.SessionInfo = r.j.statistics.SessionInfo
	r.s.jobs.adopt(r.j, j)
	return j
}

// statement runs a statement and notes what it did.
func (r *queryRun) statement(ctx context.Context, j *job, st statement, step extension.Step,
	run func() (extension.StepResult, error)) error {
	q := j.config.Query
	j.change(func() {
		j.statistics.Query.StatementType = st.kind
		j.statistics.Query.ReferencedTables = r.referenced(j, step)
	})
	var into *destination
	if q.DestinationTable != nil && st.kind == "SELECT" {
		var err error
		if into, err = r.s.destination(ctx, j.project, q.DestinationTable, q.CreateDisposition,
			cmp.Or(q.WriteDisposition, writeEmpty)); err != nil {
			return err
		}
		into.additions = q.SchemaUpdateOptions
		into.settings = func(fields []*api.TableFieldSchema) (metadata.Value, error) {
			return settingsOf(q.TimePartitioning, q.RangePartitioning, q.Clustering, q.DestinationEncryptionConfiguration, fields)
		}
	}
	operation := ""
	if st.object != "" && !strings.HasPrefix(st.kind, "INSERT") {
		operation = r.operation(ctx, j, st)
	}
	out, err := run()
	switch {
	case err != nil:
		return r.s.missing(ctx, j, err)
	case out.Chunks == nil:
		j.change(func() { r.changed(j, st, out.Changed, operation) })
		return nil
	}
	kept, err := r.keep(ctx, j, into, out.Chunks)
	if err == nil && !step.Value && (r.last == nil || !r.firstSelect) {
		r.s.release(r.last)
		r.last = kept.shared()
	}
	return errors.Join(err, out.Chunks.Close())
}

// keep puts the rows of a query where they are kept.
func (r *queryRun) keep(ctx context.Context, j *job, into *destination, from *duckapi.Chunks) (*result, error) {
	var kept *result
	var err error
	name := newID("anon")
	if into != nil {
		kept, err = r.s.write(ctx, into, from)
	} else {
		kept, err = r.s.keep(ctx, from, name)
	}
	if err != nil {
		return nil, err
	}
	j.change(func() {
		j.result = kept
		if into == nil {
			j.config.Query.DestinationTable = &api.TableReference{ProjectId: j.project, DatasetId: Anonymous, TableId: name}
			j.config.Query.WriteDisposition, j.config.Query.CreateDisposition = writeTruncate, createIfNeeded
		}
	})
	return kept, nil
}

// missing puts an error about a table that is not there into BigQuery's words.
func (s *Service) missing(ctx context.Context, j *job, err error) error {
	var e *mallard.Error
	if !errors.As(err, &e) {
		return err
	}
	m := tableNotFound.FindStringSubmatch(e.Msg)
	if m == nil {
		return err
	}
	ref := j.ref(strings.Split(strings.ReplaceAll(m[1], "`", ""), "."))
	if ref.DatasetId == "" {
		f := invalid("Table %q must be qualified with a dataset (e.g. dataset.table).", ref.TableId)
		f.Location, f.Cause = ref.TableId, err
		return f
	}
	f := notFound("Not found: Table %s:%s.%s was not found in location %s", ref.ProjectId, ref.DatasetId, ref.TableId, j.location)
	if _, wrong := s.dataset(ctx, ref.ProjectId, ref.DatasetId); faultIs(wrong, "notFound") {
		f = notFound("Not found: Dataset %s:%s was not found in location %s", ref.ProjectId, ref.DatasetId, j.location)
	}
	f.Cause = err
	return f
}

func faultIs(err error, reason string) bool {
	var f *Fault
	return errors.As(err, &f) && f.Reason == reason
}

// referenced are the tables that a statement reads.
func (r *queryRun) referenced(j *job, step extension.Step) (all []*api.TableReference) {
	seen := map[string]bool{}
	for _, rel := range dialect.Relations(step.Source, step.Statement) {
		ref := j.ref(rel.Parts)
		if rel.Role != dialect.Reads || ref == nil || ref.DatasetId == "" {
			continue
		}
		key := ref.ProjectId + "." + ref.DatasetId + "." + ref.TableId
		if !seen[key] {
			seen[key] = true
			all = append(all, ref)
		}
	}
	return all
}

// operation is what a definition will have done: CREATE, REPLACE, SKIP, DROP or ALTER.
func (r *queryRun) operation(ctx context.Context, j *job, st statement) string {
	verb, _, _ := strings.Cut(st.kind, "_")
	if !st.replace && !st.cautious {
		return verb
	}
	there := r.there(ctx, j, st)
	switch {
	case verb == "CREATE" && st.cautious && there, verb == "DROP" && st.cautious && !there:
		return "SKIP"
	case verb == "CREATE" && st.replace && there:
		return "REPLACE"
	}
	return verb
}

// there reports whether the object of a definition exists.
func (r *queryRun) there(ctx context.Context, j *job, st statement) (there bool) {
	ref := j.ref(st.path)
	if ref == nil {
		return false
	}
	dataset, name := ref.DatasetId, ref.TableId
	query := "SELECT 1 FROM (SELECT schema_name, table_name, database_name FROM duckdb_tables() UNION ALL SELECT schema_name, view_name, " +
		"database_name FROM duckdb_views()) " +
		"WHERE lower(table_name) IN (lower(" + quote.Text(name) + "), lower(" + quote.Text("mallard function "+name) + "))"
	switch {
	case st.object == "SCHEMA":
		query = "SELECT 1 FROM duckdb_schemas() WHERE lower(schema_name) = lower(" + quote.Text(name) + ")"
	case st.temporary || strings.EqualFold(dataset, sessionDataset):
	case dataset != "":
		query += " AND lower(schema_name) = lower(" + quote.Text(dataset) + ")"
	default:
		query += " AND schema_name = current_schema()"
	}
	_ = eachRow(ctx, r.c.Raw(), query, func([]any) bool { there = true; return false }) // the statement itself tells what is wrong
	return there
}

// changed notes what a statement that is no query has done.
func (r *queryRun) changed(j *job, st statement, n int64, operation string) {
	stats, q := j.statistics.Query, j.config.Query
	switch st.kind {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE":
		stats.NumDmlAffectedRows, stats.DmlStats = n, &api.DmlStatistics{}
		stats.ForceSendFields = append(stats.ForceSendFields, "NumDmlAffectedRows")
		switch st.kind {
		case "INSERT":
			stats.DmlStats.InsertedRowCount = n
		case "UPDATE":
			stats.DmlStats.UpdatedRowCount = n
		case "DELETE", "TRUNCATE_TABLE":
			stats.DmlStats.DeletedRowCount = n
		default:
			stats.DmlStats = nil // how many of which kind is not known
		}
		q.DestinationTable = r.object(j, st)
		return
	}
	if st.kind == "EXPORT_DATA" {
		stats.ExportDataStatistics = &api.ExportDataStatistics{FileCount: 1, RowCount: n}
	}
	if st.object == "" || len(st.path) == 0 {
		return
	}
	stats.DdlOperationPerformed = operation
	ref := r.object(j, st)
	switch st.object {
	case "SCHEMA":
		d := &api.DatasetReference{ProjectId: j.project, DatasetId: st.path[len(st.path)-1]}
		if len(st.path) > 1 {
			d.ProjectId = strings.Join(st.path[:len(st.path)-1], ".")
		}
		stats.DdlTargetDataset = d
	case "FUNCTION", "PROCEDURE":
		if st.temporary {
			return // no other job finds it
		}
		stats.DdlTargetRoutine = &api.RoutineReference{ProjectId: ref.ProjectId, DatasetId: ref.DatasetId, RoutineId: ref.TableId}
	default:
		stats.DdlTargetTable, q.DestinationTable = ref, ref
		if strings.HasPrefix(st.kind, "CREATE_TABLE_AS") {
			q.WriteDisposition, q.CreateDisposition = writeTruncate, createIfNeeded
		}
	}
}

// scriptPrefix begins the names of the datasets in which jobs show the temporary tables of a job without a session, as BigQuery's do.
const scriptPrefix = "_script_"

// object is the place of what a statement is about.
func (r *queryRun) object(j *job, st statement) *api.TableReference {
	ref := j.ref(st.path)
	switch {
	case ref == nil:
	case r.into != nil && (st.temporary || strings.EqualFold(ref.DatasetId, sessionDataset)):
		ref.DatasetId = r.into.database
	case st.temporary || ref.DatasetId == "": // it goes with the job, and no other finds it
		ref.DatasetId = scriptPrefix + strings.ReplaceAll(r.j.id, "-", "_")
	}
	return ref
}

// timeline is how far a job's remote calls are; mu is held.
func (j *job) timeline() []*api.QueryTimelineSample {
	p := j.progress.Remote()
	done := j.progress.Rows()
	until := time.Now()
	if j.finished() {
		until = j.ended
	}
	sample := &api.QueryTimelineSample{
		ElapsedMs: max(until.Sub(j.started).Milliseconds(), 1), CompletedUnits: max(done, p.Done), ActiveUnits: p.InFlight,
		PendingUnits: max(p.Submitted-p.Done, 0), ForceSendFields: []string{"CompletedUnits", "ActiveUnits", "PendingUnits"},
	}
	return []*api.QueryTimelineSample{sample}
}
