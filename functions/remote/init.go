package remote

import (
	"errors"
	"fmt"

	"github.com/mallardml/mallard/internal/dispatch"
)

// Init checks a Spec and prepares it. It must be called once, before any other use.
func (s *Spec) Init() error {
	if s.Connection == nil || s.Service == nil {
		return errors.New("remote.Spec: Connection and Service are required")
	}
	if s.Family == Auto {
		s.Family = FamilyOf(s.Endpoint)
		if s.Func == "ML.PREDICT" {
			s.Family = Custom
		}
	}
	if err := Suits(s.Func, s.Family); err != nil {
		return fmt.Errorf("model %s: %w", s.Model, err)
	}
	if err := s.checkObjects(); err != nil {
		return fmt.Errorf("model %s: %s: %w", s.Model, s.Func, err)
	}
	if s.Objects && s.Family == Multimodal {
		s.Media = true
	}
	s.limits = s.Limits.Or(s.Connection.Limits(s.modelName()).Or(limitsOf(s.Family)))
	s.retry = s.Retry.Or(s.Connection.Options().Retry)
	if s.price, s.priced = s.Price, true; s.price == (dispatch.Price{}) {
		s.price, s.priced = s.Connection.Options().Prices.Of(s.modelName())
	}
	s.cacheable = true
	var err error
	switch s.Func {
	case "ML.PREDICT":
		err = s.initPredict()
	case "ML.GENERATE_TEXT", "AI.GENERATE_TEXT", "AI.GENERATE_TABLE", "AI.GENERATE", "AI.GENERATE_BOOL", "AI.GENERATE_INT",
		"AI.GENERATE_DOUBLE", "AI.IF", "AI.SCORE", "AI.CLASSIFY":
		err = s.initText(s.textFormat())
	default:
		err = s.initEmbedding(s.embeddingFormat())
	}
	if err != nil {
		return fmt.Errorf("model %s: %w", s.Model, err)
	}
	if s.limits.Rows > 1 && !s.batches() {
		s.limits.Rows = 1
	}
	s.call = s.dispatched()
	return nil
}

// checkObjects refuses arguments that belong to the other kind of input.
func (s *Spec) checkObjects() error {
	o := &s.Options
	if !s.Objects {
		switch {
		case o.Prompt != nil:
			return errors.New("argument `prompt` is for object tables; for this input give a column named prompt")
		case o.StartSecond != nil || o.IntervalSeconds != nil:
			return errors.New("arguments `start_second`, `end_second` and `interval_seconds` are for videos of object tables")
		}
		return nil
	}
	switch {
	case s.Family.Text() && s.Family != Gemini && s.Family != OpenAI:
		return fmt.Errorf("%s models do not read object tables; use a Gemini model", s.Family)
	case s.Family.Embedding() && s.Family != Multimodal && s.Family != EmbedContent:
		return fmt.Errorf("%s models do not read object tables; use multimodalembedding@001", s.Family)
	case s.Family.Text() && o.Prompt == nil:
		return errors.New("an object table needs the argument `prompt`, such as STRUCT('What is shown?' AS prompt)")
	case o.GroundWithSearch:
		return errors.New("argument `ground_with_google_search` is not for object tables")
	case o.RequestType != "":
		return errors.New("argument `request_type` is not for object tables")
	}
	return nil
}

// textFormat gives the wire format of a family that generates text.
func (s *Spec) textFormat() textFormat {
	switch s.Family {
	case Claude:
		return claudeFormat{}
	case Llama, Mistral:
		return partnerFormat{}
	case Open:
		return openFormat{chat: s.Options.UseChatMode != nil && *s.Options.UseChatMode}
	case OpenAI:
		return new(openAIFormat)
	}
	return geminiFormat{}
}

// embeddingFormat gives the wire format of a family that makes embeddings.
func (s *Spec) embeddingFormat() embeddingFormat {
	switch s.Family {
	case EmbedContent:
		return embedContentFormat{}
	case Multimodal:
		return multimodalFormat{}
	case OpenEmbedding:
		return openEmbeddingFormat{}
	case OpenAIEmbedding:
		return openAIEmbeddingFormat{}
	}
	return textEmbeddingFormat{}
}
