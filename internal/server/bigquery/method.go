package bigquery

import "net/http"

// method is a method of the API, as its discovery document names it.
type method struct {
	id       string // datasets.get
	verb     string // of HTTP
	path     string // behind the prefix
	query    string // its parameters behind a ?, with their types but for strings; * is one that may be repeated
	request  string // what its body is; "" for none
	response string
	run      func(*Service, *call) (any, error) // nil for a verb behind the path, which its own handler reads
}

// methods are those that are served.
var methods = []method{
	{"projects.list", "GET", "/projects", paging, "", "ProjectList", (*Service).listProjects},
	{"projects.getServiceAccount", "GET", projectPath + "/serviceAccount",
		"", "", "GetServiceAccountResponse", (*Service).serviceAccount},

	{"datasets.list", "GET", projectPath + "/datasets", "all:boolean filter " + paging, "", "DatasetList", (*Service).listDatasets},
	{"datasets.insert", "POST", projectPath + "/datasets",
		"accessPolicyVersion:integer", "Dataset", "Dataset", (*Service).insertDataset},
	{"datasets.get", "GET", datasetPath, "accessPolicyVersion:integer datasetView", "", "Dataset", (*Service).getDataset},
	{"datasets.patch", "PATCH", datasetPath, "accessPolicyVersion:integer updateMode", "Dataset", "Dataset", (*Service).patchDataset},
	{"datasets.update", "PUT", datasetPath, "accessPolicyVersion:integer updateMode", "Dataset", "Dataset", (*Service).patchDataset},
	{"datasets.delete", "DELETE", datasetPath, "deleteContents:boolean", "", "", (*Service).deleteDataset},

	{"tables.list", "GET", datasetPath + "/tables", paging, "", "TableList", (*Service).listTables},
	{"tables.insert", "POST", datasetPath + "/tables", "", "Table", "Table", (*Service).insertTable},
	{"tables.get", "GET", tablePath, "selectedFields view", "", "Table", (*Service).getTable},
	{"tables.delete", "DELETE", tablePath, "", "", "", (*Service).deleteTable},
	{"tables.patch", "PATCH", tablePath, "autodetect_schema:boolean", "Table", "Table", (*Service).patchTable},
	{"tables.update", "PUT", tablePath, "autodetect_schema:boolean", "Table", "Table", (*Service).patchTable},

	{"tables.getIamPolicy", "POST", tablePath + ":getIamPolicy", "", "GetIamPolicyRequest", "Policy", nil},
	{"tables.setIamPolicy", "POST", tablePath + ":setIamPolicy", "", "SetIamPolicyRequest", "Policy", nil},
	{"tables.testIamPermissions", "POST", tablePath + ":testIamPermissions",
		"", "TestIamPermissionsRequest", "TestIamPermissionsResponse", nil},

	{"tabledata.list", "GET", tablePath + "/data",
		timestamps + " " + paging + " selectedFields startIndex", "", "TableDataList", (*Service).listTableData},
	{"tabledata.insertAll", "POST", tablePath + "/insertAll",
		"", "TableDataInsertAllRequest", "TableDataInsertAllResponse", (*Service).insertAll},

	{"rowAccessPolicies.list", "GET", tablePath + "/rowAccessPolicies",
		"pageSize:integer pageToken", "", "ListRowAccessPoliciesResponse", (*Service).listRowAccessPolicies},

	{"models.list", "GET", datasetPath + "/models", paging, "", "ListModelsResponse", (*Service).listModels},
	{"models.get", "GET", modelPath, "", "", "Model", (*Service).getModel},
	{"models.patch", "PATCH", modelPath, "", "Model", "Model", (*Service).patchModel},
	{"models.delete", "DELETE", modelPath, "", "", "", (*Service).deleteModel},

	{"routines.list", "GET", datasetPath + "/routines",
		"filter " + paging + " readMask", "", "ListRoutinesResponse", (*Service).listRoutines},
	{"routines.insert", "POST", datasetPath + "/routines", "", "Routine", "Routine", (*Service).insertRoutine},
	{"routines.get", "GET", routinePath, "readMask", "", "Routine", (*Service).getRoutine},
	{"routines.update", "PUT", routinePath, "", "Routine", "Routine", (*Service).updateRoutine},
	{"routines.delete", "DELETE", routinePath, "", "", "", (*Service).deleteRoutine},

	{"routines.getIamPolicy", "POST", routinePath + ":getIamPolicy", "", "GetIamPolicyRequest", "Policy", nil},
	{"routines.setIamPolicy", "POST", routinePath + ":setIamPolicy", "", "SetIamPolicyRequest", "Policy", nil},
	{"routines.testIamPermissions", "POST", routinePath + ":testIamPermissions",
		"", "TestIamPermissionsRequest", "TestIamPermissionsResponse", nil},

	{"jobs.query", "POST", projectPath + "/queries", "", "QueryRequest", "QueryResponse", (*Service).query},
	{"jobs.getQueryResults", "GET", projectPath + "/queries/{jobId}",
		timestamps + " location " + paging + " startIndex timeoutMs:integer", "", "GetQueryResultsResponse", (*Service).getQueryResults},
	{"jobs.insert", "POST", projectPath + "/jobs", "", "Job", "Job", (*Service).insertJob},
	{"jobs.list", "GET", projectPath + "/jobs",
		"allUsers:boolean maxCreationTime minCreationTime " + paging + " parentJobId projection stateFilter*", "", "JobList",
		(*Service).listJobs},
	{"jobs.get", "GET", jobPath, "location", "", "Job", (*Service).getJob},
	{"jobs.cancel", "POST", jobPath + "/cancel", "location", "", "JobCancelResponse", (*Service).cancelJob},
	{"jobs.delete", "DELETE", jobPath + "/delete", "location", "", "", (*Service).deleteJob},
}

func (s *Service) serve(m method) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{s: s, w: w, r: r}
		v, err := m.run(s, c)
		c.reply(v, err)
	})
}
