package extension

import (
	"encoding/json"
	"io"

	"github.com/mallardml/mallard/internal/config"
	"github.com/mallardml/mallard/internal/engine"
	"github.com/mallardml/mallard/internal/engine/isolated"
	"github.com/mallardml/mallard/internal/engine/tensorflow"
)

// engines lists the kinds of models that run on this machine. No other file knows them. Close ends what they share, after their models.
func engines(cfg *config.Config) (engine.Kinds, io.Closer, error) {
	tf := cfg.TensorFlow
	tf.Library = config.Path(cfg, tf.Library)
	kinds := kindsOf(tf)
	if tf.Isolation == "" {
		return kinds, io.NopCloser(nil), nil
	}
	text, err := json.Marshal(tf)
	if err != nil {
		return nil, nil, err
	}
	pool, err := isolated.NewPool(isolated.Options{Program: config.Path(cfg, tf.Worker), Memory: tf.WorkerMemory, Config: text})
	if err != nil {
		return nil, nil, err
	}
	return pool.Kinds(kinds), pool, nil
}

func kindsOf(tf config.TensorFlowConfig) engine.Kinds { return engine.Kinds{tensorflow.New(tf)} }

// RunWorker runs the models of another process where this one was started for that ([tensorflow] isolation = "process"), and does not
// return then. Else it does nothing. A program that is to be its own worker calls it at the start of its main function, before anything
// that a second process must not do, and gives its path (os.Executable) as TensorFlowConfig.Worker.
func RunWorker() {
	isolated.Serve(func(text []byte) (engine.Kinds, error) {
		var tf config.TensorFlowConfig
		if err := json.Unmarshal(text, &tf); err != nil {
			return nil, err
		}
		return kindsOf(tf), nil
	})
}
