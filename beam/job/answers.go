package job

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"

	"github.com/mallardml/mallard"
	"github.com/mallardml/mallard/internal/quote"
)

// keepsAnswers gives the file of a worker's database: it lies beside the output, so that what remote models have answered is there when
// the job was killed and is run again.
func (s *Spec) keepsAnswers() (string, error) {
	dir, err := os.MkdirTemp(filepath.Join(s.Output, work, answers), "worker-*")
	return filepath.Join(dir, "answers.db"), err
}

// takeAnswers copies the answers that other workers have left. A database that a worker has open is locked, and left alone.
func (w *Worker) takeAnswers(ctx context.Context, own string) error {
	files, err := filepath.Glob(filepath.Join(w.spec.Output, work, answers, "worker-*", "answers.db"))
	if err != nil {
		return err
	}
	c, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return mallard.WithDuckDB(ctx, c, func(d *sql.Conn) error {
		for _, f := range files {
			if f == own {
				continue
			}
			if _, err := d.ExecContext(ctx, "ATTACH "+quote.Text(f)+" AS left_behind"); err != nil {
				continue // in use, or never written: its questions are asked again
			}
			for _, s := range []string{
				"CREATE SCHEMA IF NOT EXISTS mallard_answers",
				"CREATE TABLE IF NOT EXISTS mallard_answers.answers AS FROM left_behind.mallard_answers.answers LIMIT 0",
				"INSERT INTO mallard_answers.answers FROM left_behind.mallard_answers.answers",
			} {
				if _, err := d.ExecContext(ctx, s); err != nil {
					break // it has no answers
				}
			}
			if _, err := d.ExecContext(ctx, "DETACH left_behind"); err != nil {
				return err
			}
		}
		return nil
	})
}
