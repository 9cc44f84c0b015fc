package bigquery

// upload is a file that came with a request.
type upload struct{}

func (s *Service) prepareLoad(*job) error { return unsupported("Load jobs are not run yet") }

func (s *Service) prepareExtract(*job) error { return unsupported("Extract jobs are not run yet") }

func (s *Service) prepareCopy(*job) error { return unsupported("Copy jobs are not run yet") }
