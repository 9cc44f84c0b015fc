package bigquery

import (
	api "google.golang.org/api/bigquery/v2"
)

// listProjects lists the project of the server, and attached databases.
func (s *Service) listProjects(c *call) (any, error) {
	attached, err := s.attached(c.ctx())
	if err != nil {
		return nil, err
	}
	list := &api.ProjectList{Kind: "bigquery#projectList", ForceSendFields: []string{"TotalItems"}}
	for i, name := range append([]string{s.Project}, attached...) {
		list.Projects = append(list.Projects, &api.ProjectListProjects{
			Kind: "bigquery#project", Id: name, FriendlyName: name, NumericId: uint64(i + 1),
			ProjectReference: &api.ProjectReference{ProjectId: name},
		})
	}
	list.TotalItems = int64(len(list.Projects))
	list.Etag = etag(list)
	return list, nil
}

func (s *Service) serviceAccount(c *call) (any, error) {
	if err := s.checkProject(c.ctx(), c.project()); err != nil {
		return nil, err
	}
	return &api.GetServiceAccountResponse{Kind: "bigquery#getServiceAccountResponse", Email: s.User}, nil
}
