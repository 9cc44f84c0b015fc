package bigquery

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	api "google.golang.org/api/bigquery/v2"
)

// outputs are the fields that only the server sets.
var outputs = map[reflect.Type]string{
	reflect.TypeFor[api.Dataset](): "catalogSource creationTime etag id kind lastModifiedTime linkedDatasetMetadata satisfiesPzi satisfiesPzs selfLink tags type",
	reflect.TypeFor[api.Table](): "cloneDefinition creationTime etag id kind lastModifiedTime location materializedViewStatus model numActiveLogicalBytes numActivePhysicalBytes numBytes " +
		"numCurrentPhysicalBytes numLongTermBytes numLongTermLogicalBytes numLongTermPhysicalBytes numPartitions numPhysicalBytes numRows numTimeTravelPhysicalBytes " +
		"numTotalLogicalBytes numTotalPhysicalBytes replicas selfLink snapshotDefinition streamingBuffer type",
	reflect.TypeFor[api.MaterializedViewDefinition](): "lastRefreshTime",
	reflect.TypeFor[api.JobConfigurationQuery]():      "systemVariables",
	reflect.TypeFor[api.HivePartitioningOptions]():    "fields",
	reflect.TypeFor[api.Model](): "bestTrialId creationTime defaultTrialId etag featureColumns hparamSearchSpaces hparamTrials labelColumns lastModifiedTime location modelReference modelType " +
		"optimalTrialIds remoteModelInfo trainingRuns transformColumns",
	reflect.TypeFor[api.Routine](): "buildStatus creationTime etag lastModifiedTime",
}

// Each field of Google's types is told of: what comes new with the module is decided upon. docs/serve.md has the same lists.
func TestEveryFieldIsTreated(t *testing.T) {
	var table strings.Builder
	table.WriteString("| type | served | kept and shown, without effect | passed over | refused |\n| --- | --- | --- | --- | --- |\n")
	types := []reflect.Type{}
	for of := range treatments {
		types = append(types, of)
	}
	slices.SortFunc(types, func(a, b reflect.Type) int { return strings.Compare(a.Name(), b.Name()) })
	for _, of := range types {
		told := map[string]int{}
		cells := []string{"`" + of.Name() + "`"}
		for i, list := range []string{treatments[of].served, treatments[of].kept, treatments[of].ignored, treatments[of].refused, outputs[of]} {
			var shown []string
			for _, word := range strings.Fields(list) {
				name, values, _ := strings.Cut(word, "=")
				told[name]++
				if values != "" {
					name += " but " + strings.ReplaceAll(values, "|", ", ")
				}
				shown = append(shown, name)
			}
			if i < 4 {
				cells = append(cells, strings.Join(shown, ", "))
			}
		}
		fmt.Fprintf(&table, "| %s |\n", strings.Join(cells, " | "))
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name == "" || name == "-" {
				continue
			}
			if told[name] != 1 {
				t.Errorf("%s.%s is told of %d times", of.Name(), name, told[name])
			}
			delete(told, name)
		}
		for name := range told {
			t.Errorf("%s has no field %s", of.Name(), name)
		}
	}
	doc, err := os.ReadFile("../../../docs/serve.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), table.String()) {
		t.Errorf("docs/serve.md lacks this table:\n%s", table.String())
	}
}
