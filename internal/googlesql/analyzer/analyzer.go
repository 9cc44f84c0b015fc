package analyzer

import (
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/mallardml/mallard/googlesql"
	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"google.golang.org/protobuf/proto"
)

// Service answers the methods of Google's LocalService. It may be called by several goroutines. An error that is no
// cancelled context is the service's word on the request.
type Service interface {
	Call(ctx context.Context, method string, request []byte) ([]byte, error)
}

// maxText is the longest statement that is read, as BigQuery's own limit
// (https://docs.cloud.google.com/bigquery/quotas#query_jobs); the service itself refuses requests over 4 MB.
const maxText = 1 << 20

// maxCatalogs is how many catalogs the service keeps for an analyzer: some megabyte each.
const maxCatalogs = 32

// Analyzer reads statements. It may be used by several goroutines.
type Analyzer struct {
	service  Service
	language *resolved.LanguageOptionsProto
	eager    *resolved.LanguageOptionsProto // without the feature that windowInBranch is about

	answers answers

	mu       sync.Mutex
	catalogs map[key]*list.Element // of *registered
	recent   list.List             // most recent first
}

type registered struct {
	key   key
	id    int64
	users int
	gone  bool // unregistered when the last user is done
}

// New asks the service for its options.
func New(ctx context.Context, s Service) (*Analyzer, error) {
	language := &resolved.LanguageOptionsProto{}
	if err := call(ctx, s, "GetLanguageOptions", &resolved.LanguageOptionsRequest{MaximumFeatures: proto.Bool(true)}, language); err != nil {
		return nil, err
	}
	language.SupportedStatementKinds = nil // none means all
	language.ProductMode = resolved.ProductMode_PRODUCT_EXTERNAL.Enum()
	language.EnabledLanguageFeatures = slices.DeleteFunc(language.EnabledLanguageFeatures, func(f resolved.LanguageFeature) bool {
		return lacking[f]
	})
	language.EnabledLanguageFeatures = slices.AppendSeq(language.EnabledLanguageFeatures, maps.Keys(added))
	slices.Sort(language.EnabledLanguageFeatures) // catalogs are known by their bytes
	language.EnabledLanguageFeatures = slices.Compact(language.EnabledLanguageFeatures)
	language.ReservedKeywords = []string{"MATCH_RECOGNIZE", "QUALIFY"}
	eager := proto.CloneOf(language)
	eager.EnabledLanguageFeatures = slices.DeleteFunc(eager.EnabledLanguageFeatures, func(f resolved.LanguageFeature) bool {
		return f == resolved.LanguageFeature_FEATURE_ENFORCE_CONDITIONAL_EVALUATION
	})
	return &Analyzer{service: s, language: language, eager: eager, catalogs: map[key]*list.Element{}}, nil
}

func call(ctx context.Context, s Service, method string, request, answer proto.Message) error {
	in, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	out, err := s.Call(ctx, method, in)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return newError(err.Error())
	}
	if err := proto.Unmarshal(out, answer); err != nil {
		return fmt.Errorf("GoogleSQL's answer to %s: %w", method, err)
	}
	return nil
}

// Tables gives the paths that a statement reads or writes.
func (a *Analyzer) Tables(ctx context.Context, sql string) ([][]string, error) {
	if err := check(sql); err != nil {
		return nil, err
	}
	k := keyOf([]byte("tables"), []byte(sql))
	if paths, ok := a.answers.get(k); ok {
		return paths.([][]string), nil
	}
	answer := &resolved.ExtractTableNamesFromStatementResponse{}
	request := &resolved.ExtractTableNamesFromStatementRequest{SqlStatement: &sql, Options: a.language}
	if err := call(ctx, a.service, "ExtractTableNamesFromStatement", request, answer); err != nil {
		return nil, err
	}
	var paths [][]string
	for _, n := range answer.TableName {
		paths = append(paths, n.TableNameSegment)
	}
	a.answers.put(k, paths, len(sql))
	return paths, nil
}

// Parameters are the types of a statement's parameters, by name or by place.
type Parameters struct {
	Named      []googlesql.Field
	Positional []googlesql.Type
	System     []googlesql.Field // @@variables, by their names with dots
	Undeclared bool              // types follow from where the parameters stand
	ByPosition bool              // they are ?, and not @name
	Names      []string          // of all, as the statement writes them; their numbers where they are by position
}

// windowInBranch is what the service says of a window function inside IF, CASE and their like. It can't keep the error of
// one back until a branch is taken, so that all are computed: a statement that is read so has no such branches.
const windowInBranch = "Analytic functions in side effect scopes are not yet implemented"

// Analyze resolves a statement. The tree may be another caller's too: do not change it.
func (a *Analyzer) Analyze(ctx context.Context, sql string, c *Catalog, p Parameters) (*resolved.AnyResolvedStatementProto, error) {
	if err := check(sql); err != nil {
		return nil, err
	}
	message := c.message(nil) // the language is the same for all, and long
	catalog, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		return nil, err
	}
	options := a.options(p)
	if c.Inline {
		options.EnabledRewrites = append(slices.Clip(options.EnabledRewrites), inlineTableFunctions)
	}
	options.LanguageOptions = nil
	asked, err := proto.MarshalOptions{Deterministic: true}.Marshal(options)
	if err != nil {
		return nil, err
	}
	k := keyOf([]byte(sql), catalog, asked)
	if tree, ok := a.answers.get(k); ok {
		return tree.(*resolved.AnyResolvedStatementProto), nil
	}
	options.LanguageOptions, message.BuiltinFunctionOptions.LanguageOptions = a.language, a.language
	answer := &resolved.AnalyzeResponse{}
	err = a.with(ctx, keyOf(catalog), message, func(id int64) error {
		request := &resolved.AnalyzeRequest{
			Options: options, RegisteredCatalogId: &id, Target: &resolved.AnalyzeRequest_SqlStatement{SqlStatement: sql},
		}
		err := call(ctx, a.service, "Analyze", request, answer)
		if err != nil && strings.Contains(err.Error(), windowInBranch) {
			options.LanguageOptions = a.eager
			err = call(ctx, a.service, "Analyze", request, answer)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	a.answers.put(k, answer.GetResolvedStatement(), len(sql)+proto.Size(answer))
	return answer.GetResolvedStatement(), nil
}

// partitionColumns are those that PARTITION BY may name though the table does not declare them.
var partitionColumns = []googlesql.Field{
	{Name: "_PARTITIONTIME", Type: googlesql.Type{Kind: googlesql.Timestamp}},
	{Name: "_PARTITIONDATE", Type: googlesql.Type{Kind: googlesql.Date}},
}

func (a *Analyzer) options(p Parameters) *resolved.AnalyzerOptionsProto {
	o := &resolved.AnalyzerOptionsProto{
		LanguageOptions:           a.language,
		ErrorMessageMode:          resolved.ErrorMessageMode_ERROR_MESSAGE_ONE_LINE.Enum(),
		ParseLocationRecordType:   resolved.ParseLocationRecordType_PARSE_LOCATION_RECORD_FULL_NODE_SCOPE.Enum(),
		DefaultTimezone:           proto.String("UTC"),
		PruneUnusedColumns:        proto.Bool(true),
		AllowUndeclaredParameters: &p.Undeclared,
		EnabledRewrites:           rewrites,
	}
	for _, f := range partitionColumns {
		o.DdlPseudoColumns = append(o.DdlPseudoColumns, &resolved.AnalyzerOptionsProto_QueryParameterProto{Name: proto.String(f.Name),
			Type: TypeProto(f.Type)})
	}
	for _, f := range p.Named {
		o.QueryParameters = append(o.QueryParameters, &resolved.AnalyzerOptionsProto_QueryParameterProto{Name: &f.Name, Type: TypeProto(f.Type)})
	}
	for _, f := range p.System {
		o.SystemVariables = append(o.SystemVariables, &resolved.AnalyzerOptionsProto_SystemVariableProto{NamePath: strings.Split(f.Name, "."),
			Type: TypeProto(f.Type)})
	}
	if p.ByPosition {
		o.ParameterMode = resolved.ParameterMode_PARAMETER_POSITIONAL.Enum()
		for _, t := range p.Positional {
			o.PositionalQueryParameters = append(o.PositionalQueryParameters, TypeProto(t))
		}
	}
	return o
}

// with calls f with the number under which the service knows the catalog.
func (a *Analyzer) with(ctx context.Context, k key, catalog *resolved.SimpleCatalogProto, f func(id int64) error) error {
	r, err := a.register(ctx, k, catalog)
	if err != nil {
		return err
	}
	defer a.release(ctx, r)
	return f(r.id)
}

func (a *Analyzer) register(ctx context.Context, k key, catalog *resolved.SimpleCatalogProto) (*registered, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.catalogs[k]; e != nil {
		a.recent.MoveToFront(e)
		r := e.Value.(*registered)
		r.users++
		return r, nil
	}
	answer := &resolved.RegisterResponse{}
	if err := call(ctx, a.service, "RegisterCatalog", &resolved.RegisterCatalogRequest{SimpleCatalog: catalog}, answer); err != nil {
		return nil, err
	}
	r := &registered{key: k, id: answer.GetRegisteredId(), users: 1}
	a.catalogs[k] = a.recent.PushFront(r)
	if a.recent.Len() > maxCatalogs {
		last := a.recent.Remove(a.recent.Back()).(*registered)
		delete(a.catalogs, last.key)
		if last.gone = true; last.users == 0 {
			a.unregister(ctx, last)
		}
	}
	return r, nil
}

func (a *Analyzer) release(ctx context.Context, r *registered) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.users--; r.users == 0 && r.gone {
		a.unregister(ctx, r)
	}
}

// unregister frees a catalog. One that stays in the service for a fault does no harm but its memory.
func (a *Analyzer) unregister(ctx context.Context, r *registered) {
	request := &resolved.UnregisterRequest{RegisteredId: &r.id}
	_ = call(context.WithoutCancel(ctx), a.service, "UnregisterCatalog", request, &resolved.RegisterResponse{})
}
