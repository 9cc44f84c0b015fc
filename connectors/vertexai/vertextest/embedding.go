package vertextest

import (
	"context"
	"encoding/base64"
	"math"
	"math/rand/v2"
	"strings"

	"cloud.google.com/go/aiplatform/apiv1/aiplatformpb"
)

// Vector is the vector that the fake gives a text (or a file's URI or bytes) by default: unit length, the same for the same model, text and
// size.
func Vector(model, text string, size int) []float64 {
	r := rand.New(rand.NewPCG(hash(model), hash(text)))
	v := make([]float64, size)
	sum := 0.0
	for i := range v {
		v[i] = r.NormFloat64()
		sum += v[i] * v[i]
	}
	norm := 1 / math.Sqrt(sum)
	for i := range v {
		v[i] = float64(float32(v[i] * norm)) // the service computes in float32
	}
	return v
}

var taskTypes = []string{"RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING",
	"QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY"}

// embedTexts is :predict of text-embedding models and gemini-embedding-001.
func (c *call) embedTexts(ctx context.Context, kind string) *reply {
	limits := c.server.options().Limits
	most, size := limits.TextInstances, 768
	if kind == "gemini-embedding" {
		most, size = limits.GeminiInstances, 3072
	}
	m := c.object()
	instances, params, bad := c.predictBody(m, most, "autoTruncate", "outputDimensionality")
	if bad != nil {
		return bad
	}
	truncate := true
	if v, has := params["autoTruncate"]; has {
		b, isBool := v.(bool)
		if !isBool {
			return failf(400, "Invalid value for autoTruncate: it must be a boolean.")
		}
		truncate = b
	}
	if size, bad = dimension(params["outputDimensionality"], size); bad != nil {
		return bad
	}
	list := make([]string, len(instances))
	counts := make([]int, len(instances))
	cut := make([]bool, len(instances))
	total, chars := 0, 0
	for i, in := range instances {
		text, bad := instanceContent(in)
		if bad != nil {
			return bad
		}
		counts[i] = CountTokens(text)
		if counts[i] > limits.TokensPerText {
			if !truncate {
				return failf(400, "Unable to submit request because the input token count is %d but model %s only supports up to %d. Reduce the "+
					"input token count and try again.",
					counts[i], c.Model, limits.TokensPerText)
			}
			text, cut[i] = cutTokens(text, limits.TokensPerText)
			counts[i] = limits.TokensPerText
		}
		list[i] = text
		total += counts[i]
		chars += len([]rune(text))
	}
	if kind == "text-embedding" && total > limits.TextTokens {
		return failf(400, "Unable to submit request because the input token count is %d but model %s only supports up to %d. Reduce the input "+
			"token count and try again.",
			total, c.Model, limits.TextTokens)
	}
	vectors, err := c.vectors(ctx, list, size)
	if err != nil {
		return hookError(err)
	}
	out := make([]any, len(list))
	for i := range list {
		out[i] = map[string]any{"embeddings": map[string]any{"values": vectors[i],
			"statistics": map[string]any{"token_count": counts[i], "truncated": cut[i]}}}
	}
	return ok(map[string]any{"predictions": out, "metadata": map[string]any{"billableCharacterCount": chars}})
}

// predictBody checks the frame of a :predict request.
func (c *call) predictBody(m map[string]any, most int, known ...string) ([]any, map[string]any, *reply) {
	for k := range m {
		if k != "instances" && k != "parameters" && k != "labels" {
			return nil, nil, failf(400, "Invalid JSON payload received. Unknown name %q: Cannot find field.", k)
		}
	}
	instances, isList := m["instances"].([]any)
	if !isList || len(instances) == 0 {
		return nil, nil, failf(400, "The request has no instances.")
	}
	if len(instances) > most {
		return nil, nil, failf(400, "%d instance(s) is above the allowed limit of %d instance(s) per prediction request for model %s.",
			len(instances), most, c.Model)
	}
	params, isObject := m["parameters"].(map[string]any)
	if m["parameters"] != nil && !isObject {
		return nil, nil, failf(400, "Invalid parameters: an object is expected.")
	}
	for k := range params {
		if !contains(known, k) {
			return nil, nil, failf(400, "Invalid parameters: unknown field %q for model %s.", k, c.Model)
		}
	}
	return instances, params, nil
}

func dimension(v any, most int) (int, *reply) {
	if v == nil {
		return most, nil
	}
	f, isNumber := number(v)
	if !isNumber || f != math.Trunc(f) || f < 1 || f > float64(most) {
		return 0, failf(400, "Unable to submit request because it has an output_dimensionality value of %v but the supported range is from 1 "+
			"to %d.", v, most)
	}
	return int(f), nil
}

// instanceContent checks one text instance.
func instanceContent(in any) (string, *reply) {
	m, isObject := in.(map[string]any)
	if !isObject {
		return "", failf(400, "Invalid instance: an object with content is expected.")
	}
	for k := range m {
		switch k {
		case "content", "title", "task_type", "taskType", "mimeType":
		default:
			return "", failf(400, "Invalid instance: unknown field %q.", k)
		}
	}
	text, isText := m["content"].(string)
	if !isText {
		return "", failf(400, "Invalid instance: content must be a string.")
	}
	if text == "" {
		return "", failf(400, "The text content is empty.")
	}
	task := first(m, "task_type", "taskType")
	if name, _ := task.(string); task != nil && name != "" && !contains(taskTypes, name) {
		return "", failf(400, "Invalid task_type %v.", task)
	}
	if title, _ := m["title"].(string); title != "" && task != "RETRIEVAL_DOCUMENT" {
		return "", failf(400, "title is only valid with task_type RETRIEVAL_DOCUMENT.")
	}
	return text, nil
}

// vectors asks the hook, else it hashes.
func (c *call) vectors(ctx context.Context, list []string, size int) ([][]float64, error) {
	if c.server.options().Embed == nil {
		out := make([][]float64, len(list))
		for i, t := range list {
			out[i] = Vector(c.Model, t, size)
		}
		return out, nil
	}
	out, err := c.server.options().Embed(ctx, c.Model, list)
	if err != nil {
		return nil, err
	}
	if len(out) != len(list) {
		return nil, &StatusError{500, "vertextest: Options.Embed gave another number of vectors than texts"}
	}
	short := make([][]float64, len(out))
	for i, v := range out {
		short[i] = v[:min(size, len(v))]
	}
	return short, nil
}

// embedMultimodal is :predict of multimodalembedding@001.
func (c *call) embedMultimodal(ctx context.Context) *reply {
	instances, params, bad := c.predictBody(c.object(), 1, "dimension")
	if bad != nil {
		return bad
	}
	size := 1408
	if v, has := params["dimension"]; has {
		f, _ := number(v)
		switch f {
		case 128, 256, 512, 1408:
			size = int(f)
		default:
			return failf(400, "Invalid dimension %v: 128, 256, 512 and 1408 are supported.", v)
		}
	}
	m, isObject := instances[0].(map[string]any)
	if !isObject {
		return failf(400, "Invalid instance: an object with text, image or video is expected.")
	}
	out := map[string]any{}
	for k, v := range m {
		switch k {
		case "text":
			text, _ := v.(string)
			if text == "" {
				return failf(400, "The text content is empty.")
			}
			text, _ = cutTokens(text, c.server.options().Limits.MultimodalTokens)
			vec, err := c.vectors(ctx, []string{text}, size)
			if err != nil {
				return hookError(err)
			}
			out["textEmbedding"] = vec[0]
		case "image":
			what, bad := media(v, 20<<20)
			if bad != nil {
				return bad
			}
			out["imageEmbedding"] = Vector(c.Model, what, size)
		case "video":
			list, bad := c.segments(v, size)
			if bad != nil {
				return bad
			}
			out["videoEmbeddings"] = list
		default:
			return failf(400, "Invalid instance: unknown field %q.", k)
		}
	}
	if len(out) == 0 {
		return failf(400, "At least one of text, image or video must be specified.")
	}
	return ok(map[string]any{"predictions": []any{out}, "deployedModelId": "1"})
}

// media identifies an image or video.
func media(v any, most int) (string, *reply) {
	m, _ := v.(map[string]any)
	if uri, has := m["gcsUri"].(string); has {
		if !strings.HasPrefix(uri, "gs://") {
			return "", failf(400, "Invalid gcsUri %q.", uri)
		}
		return uri, nil
	}
	text, _ := m["bytesBase64Encoded"].(string)
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		return "", failf(400, "Image or video without gcsUri or bytesBase64Encoded, or not base64.")
	}
	if len(data) > most {
		return "", failf(400, "The image is larger than %d bytes.", most)
	}
	return string(data), nil
}

// videoLength is how long every video of the fake is, in seconds.
const videoLength = 60

func (c *call) segments(v any, size int) ([]any, *reply) {
	if size != 1408 {
		return nil, failf(400, "dimension is not supported for video.")
	}
	what, bad := media(v, 1<<30)
	if bad != nil {
		return nil, bad
	}
	m, _ := v.(map[string]any)
	cfg, _ := m["videoSegmentConfig"].(map[string]any)
	start, end, step := 0.0, 120.0, 16.0
	for k, p := range map[string]*float64{"startOffsetSec": &start, "endOffsetSec": &end, "intervalSec": &step} {
		if given, has := cfg[k]; has {
			f, isNumber := number(given)
			if !isNumber {
				return nil, failf(400, "Invalid %s %v.", k, given)
			}
			*p = f
		}
	}
	if start < 0 || end <= start || end-start > 120 || step < 4 {
		return nil, failf(400, "Invalid videoSegmentConfig: start %g, end %g, interval %g.", start, end, step)
	}
	var out []any
	for at := start; at < min(end, videoLength); at += step {
		to := min(at+step, end, videoLength)
		out = append(out, map[string]any{"startOffsetSec": int64(at), "endOffsetSec": int64(to),
			"embedding": Vector(c.Model, what+string(appendFloat(nil, at, 64)), size)})
	}
	if out == nil {
		return nil, failf(400, "The video segment lies behind the end of the video.")
	}
	return out, nil
}

// embedContent is gemini-embedding-2's method.
func (c *call) embedContent(ctx context.Context) *reply {
	m, bad := c.normal(&aiplatformpb.EmbedContentRequest{})
	if bad != nil {
		return bad
	}
	p, bad := c.prompt(map[string]any{"contents": []any{m["content"]}})
	if bad != nil {
		return bad
	}
	cfg, _ := m["embedContentConfig"].(map[string]any)
	want := first(cfg, "outputDimensionality")
	if want == nil {
		want = m["outputDimensionality"]
	}
	size, bad := dimension(want, 3072)
	if bad != nil {
		return bad
	}
	tokens := CountTokens(p.Text) + 258*len(p.Files)
	const most = 8192
	truncated := false
	if CountTokens(p.Text) > most {
		if first(cfg, "autoTruncate") == false || m["autoTruncate"] == false {
			return failf(400, "Unable to submit request because the input token count is %d but model %s only supports up to %d.", tokens, c.Model,
				most)
		}
		p.Text, truncated = cutTokens(p.Text, most)
		tokens = most
	}
	what := p.Text
	for _, f := range p.Files {
		what += "\x00" + f.URI + string(f.Data)
	}
	vec, err := c.vectors(ctx, []string{what}, size)
	if err != nil {
		return hookError(err)
	}
	return ok(map[string]any{
		"embedding": map[string]any{"values": vec[0]}, "truncated": truncated,
		"usageMetadata": map[string]any{"promptTokenCount": tokens, "totalTokenCount": tokens},
	})
}
