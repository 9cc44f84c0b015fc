package vertextest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/mallardml/mallard/internal/amount"
)

// Script is what a file says about a Server: the answers of text models and custom endpoints, the faults, the settings.
type Script struct {
	Rules       []Rule
	Predictions []Prediction
	Faults      []Fault
	Settings    *Settings // nil when the file has none
}

// Prediction is the answer of a custom endpoint to the instances that match.
type Prediction struct {
	Endpoint   string          `json:"endpoint"`           // the endpoint's ID
	Contains   string          `json:"contains,omitempty"` // part of the instance as JSON
	Prediction json.RawMessage `json:"prediction"`
}

// Settings are the options of a Server that a script may set; zero fields leave it as it is.
type Settings struct {
	Token             string   `json:"token,omitempty"`
	Projects          []string `json:"projects,omitempty"`
	Locations         []string `json:"locations,omitempty"`
	Models            []string `json:"models,omitempty"`
	RequestsPerMinute int      `json:"requestsPerMinute,omitempty"`
	TokensPerMinute   int      `json:"tokensPerMinute,omitempty"`
	QuotaRetryAfter   bool     `json:"quotaRetryAfter,omitempty"`
	Provisioned       bool     `json:"provisioned,omitempty"`
	Limits            *Limits  `json:"limits,omitempty"`
}

// Apply adds the script to the options of a Server that is still to be made. Its predictions come before o.Endpoint.
func (s *Script) Apply(o *Options) {
	o.Script = append(o.Script, s.Rules...)
	o.Faults = append(o.Faults, s.Faults...)
	o.Predictions = append(o.Predictions, s.Predictions...)
	if s.Settings != nil {
		s.Settings.apply(o)
	}
}

func (set *Settings) apply(o *Options) {
	list := func(p *[]string, v []string) {
		if v != nil {
			*p = v
		}
	}
	number := func(p *int, v int) {
		if v != 0 {
			*p = v
		}
	}
	if set.Token != "" {
		o.Token = set.Token
	}
	list(&o.Projects, set.Projects)
	list(&o.Locations, set.Locations)
	list(&o.Models, set.Models)
	number(&o.RequestsPerMinute, set.RequestsPerMinute)
	number(&o.TokensPerMinute, set.TokensPerMinute)
	o.QuotaRetryAfter = o.QuotaRetryAfter || set.QuotaRetryAfter
	o.Provisioned = o.Provisioned || set.Provisioned
	if set.Limits != nil {
		o.Limits = *set.Limits
	}
}

// Play replaces what the server's script said: rules, predictions and faults. Settings it has come on top of the old ones.
func (s *Server) Play(script *Script) error {
	if err := s.SetScript(script.Rules...); err != nil {
		return err
	}
	if err := s.SetFaults(script.Faults...); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.predictions = script.Predictions
	if script.Settings != nil {
		o := *s.options()
		script.Settings.apply(&o)
		o.Limits = o.Limits.withDefaults()
		s.opts.Store(&o)
	}
	return nil
}

// ReadScript reads JSON Lines. What a line is its keys tell:
//
//	{"contains": "duck", "answer": "quack"}                    a Rule; {"model", "regexp", "uri", "finishReason", "blockReason", "status"}
//	{"endpoint": "7", "prediction": [0.1, 0.9]}                a Prediction; {"contains"}
//	{"fault": "status", "status": 429, "every": 10}            a Fault; times such as "retryAfter" and "latency" are written as "50ms", "2s"
//	{"settings": {"token": "secret", "locations": ["us-central1"]}}
//
// Blank lines and lines that begin with # are skipped; unknown keys are errors, which name the line.
func ReadScript(r io.Reader) (*Script, error) {
	out := &Script{}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 16<<20)
	for n := 1; in.Scan(); n++ {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if err := out.read(line); err != nil {
			return nil, fmt.Errorf("script line %d: %w", n, err)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	return out, nil
}

func (s *Script) read(line []byte) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(line, &keys); err != nil {
		return err
	}
	switch {
	case keys["fault"] != nil:
		var f faultLine
		if err := strictly(line, &f); err != nil {
			return err
		}
		fault, err := f.fault()
		if err != nil {
			return err
		}
		s.Faults = append(s.Faults, fault)
	case keys["endpoint"] != nil || keys["prediction"] != nil:
		var p Prediction
		if err := strictly(line, &p); err != nil {
			return err
		}
		if p.Endpoint == "" || p.Prediction == nil {
			return errors.New("a prediction needs both endpoint and prediction")
		}
		p.Prediction = bytes.Clone(p.Prediction)
		s.Predictions = append(s.Predictions, p)
	case keys["settings"] != nil:
		var l struct {
			Settings *Settings `json:"settings"`
		}
		if s.Settings != nil {
			return errors.New("settings stand in one line only")
		}
		if err := strictly(line, &l); err != nil {
			return err
		}
		s.Settings = l.Settings
	default:
		var r Rule
		if err := strictly(line, &r); err != nil {
			return err
		}
		if keys["answer"] == nil && r.BlockReason == "" && r.FinishReason == "" && r.Status == 0 {
			return errors.New("a line needs answer, prediction, fault or settings")
		}
		if _, err := regexp.Compile(r.Regexp); err != nil {
			return err
		}
		s.Rules = append(s.Rules, r)
	}
	return nil
}

func strictly(line []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// faultLine is a Fault as a script has it.
type faultLine struct {
	Fault         Kind     `json:"fault"`
	Method        string   `json:"method"`
	Model         string   `json:"model"`
	Contains      string   `json:"contains"`
	Every         int      `json:"every"`
	After         int      `json:"after"`
	Times         int      `json:"times"`
	Share         float64  `json:"share"`
	Status        int      `json:"status"`
	Message       string   `json:"message"`
	RetryAfter    duration `json:"retryAfter"`
	RetryAsDate   bool     `json:"retryAsDate"`
	RetryAsDetail bool     `json:"retryAsDetail"`
	Latency       duration `json:"latency"`
	Size          int      `json:"size"`
}

func (f *faultLine) fault() (Fault, error) {
	out := Fault{Kind: f.Fault, Method: f.Method, Model: f.Model, Contains: f.Contains, Every: f.Every, After: f.After, Times: f.Times,
		Share: f.Share, Status: f.Status,
		Message: f.Message, RetryAfter: time.Duration(f.RetryAfter), RetryAsDate: f.RetryAsDate, RetryAsDetail: f.RetryAsDetail,
		Latency: time.Duration(f.Latency), Size: f.Size}
	switch {
	case !contains(kinds, string(f.Fault)):
		return out, fmt.Errorf("unknown kind of fault %q; there are %s", f.Fault, strings.Join(kinds, ", "))
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return out, fmt.Errorf("the status of a fault is %d; it must be from 400 to 599", f.Status)
	case f.Every < 0 || f.After < 0 || f.Times < 0 || f.Size < 0 || f.RetryAfter < 0 || f.Latency < 0 || !(f.Share >= 0 && f.Share <= 1):
		return out, errors.New("a fault has a number out of range")
	case f.Fault == Latency && f.Latency == 0:
		return out, errors.New(`a latency needs "latency", such as "50ms"`)
	}
	return out, nil
}

// duration is "50ms" in JSON.
type duration time.Duration

// UnmarshalText reads what time.ParseDuration does.
func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = duration(v)
	return err
}

// predictor answers an endpoint by the predictions of a script; nil when none is for it. Instances that none matches go to next,
// or are an error.
func predictor(all []Prediction, id string, next Predictor) Predictor {
	var mine []Prediction
	for _, p := range all {
		if p.Endpoint == id {
			mine = append(mine, p)
		}
	}
	if mine == nil {
		return next
	}
	return func(ctx context.Context, instances []any, parameters any) ([]any, error) {
		out := make([]any, len(instances))
		var rest []any
		var at []int
		for i, in := range instances {
			text := appendJSON(nil, in)
			found := false
			for _, p := range mine {
				if found = bytes.Contains(text, []byte(p.Contains)); found {
					d := json.NewDecoder(bytes.NewReader(p.Prediction))
					d.UseNumber()
					if err := d.Decode(&out[i]); err != nil {
						return nil, fmt.Errorf("the prediction of endpoint %s: %w", id, err)
					}
					break
				}
			}
			if !found {
				rest, at = append(rest, in), append(at, i)
			}
		}
		if rest == nil {
			return out, nil
		}
		if next == nil {
			return nil, &StatusError{Status: 400, Message: fmt.Sprintf("The script has no prediction of endpoint %s for the instance %s.", id,
				appendJSON(nil, rest[0]))}
		}
		answers, err := next(ctx, rest, parameters)
		if err != nil {
			return nil, err
		}
		if len(answers) != len(rest) {
			return nil, fmt.Errorf("endpoint %s gave %s for %s", id, amount.Of(len(answers), "prediction"), amount.Of(len(rest), "instance"))
		}
		for i, a := range answers {
			out[at[i]] = a
		}
		return out, nil
	}
}
