package extension

import (
	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/engine/tensorflow"
)

// engines lists the kinds of models that run in this process. No other file knows them.
func engines(cfg *config.Config) engine.Kinds {
	tf := cfg.TensorFlow
	tf.Library = config.Path(cfg, tf.Library)
	return engine.Kinds{tensorflow.New(tf)}
}
