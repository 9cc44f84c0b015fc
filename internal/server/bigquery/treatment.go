package bigquery

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	api "google.golang.org/api/bigquery/v2"
)

// treatment says what becomes of the fields of a resource that clients send, each a list of names. What is in none of the lists is
// told by Google to its clients, and not the other way: it is passed over.
type treatment struct {
	served  string // does what BigQuery's documentation says
	kept    string // is kept and shown, and has no effect here
	ignored string // has no effect, and is not kept
	// refused fails the request; a value behind = is let through, several between bars, in any case of letters.
	refused string
}

// treatments are those of the types whose fields clients send. The table of docs/serve.md is written from it.
var treatments = map[reflect.Type]treatment{
	reflect.TypeFor[api.Dataset](): {
		served: "datasetReference defaultPartitionExpirationMs defaultTableExpirationMs description friendlyName labels location",
		kept: "access defaultEncryptionConfiguration externalCatalogDatasetOptions isCaseInsensitive maxTimeTravelHours resourceTags " +
			"restrictions storageBillingModel",
		refused: "defaultCollation defaultRoundingMode=ROUNDING_MODE_UNSPECIFIED|ROUND_HALF_AWAY_FROM_ZERO externalDatasetReference " +
			"linkedDatasetSource",
	},
	reflect.TypeFor[api.Table](): {
		served: "clustering description expirationTime externalDataConfiguration friendlyName labels materializedView rangePartitioning " +
			"schema tableReference timePartitioning view",
		kept: "encryptionConfiguration maxStaleness requirePartitionFilter resourceTags restrictions tableConstraints",
		refused: "biglakeConfiguration defaultCollation defaultRoundingMode=ROUNDING_MODE_UNSPECIFIED|ROUND_HALF_AWAY_FROM_ZERO " +
			"externalCatalogTableOptions managedTableType=MANAGED_TABLE_TYPE_UNSPECIFIED|NATIVE partitionDefinition " +
			"tableReplicationInfo",
	},
	reflect.TypeFor[api.ExternalDataConfiguration](): {
		served: "autodetect csvOptions hivePartitioningOptions ignoreUnknownValues maxBadRecords schema sourceFormat sourceUris",
		kept:   "compression parquetOptions",
		refused: "avroOptions bigtableOptions connectionId dateFormat datetimeFormat decimalTargetTypes " +
			"fileSetSpecType=FILE_SET_SPEC_TYPE_FILE_SYSTEM_MATCH googleSheetsOptions jsonExtension jsonOptions metadataCacheMode " +
			"objectMetadata referenceFileSchemaUri timeFormat timeZone=UTC timestampFormat timestampTargetPrecision",
	},
	reflect.TypeFor[api.CsvOptions](): {
		served:  "allowJaggedRows encoding fieldDelimiter nullMarker nullMarkers quote skipLeadingRows",
		kept:    "allowQuotedNewlines preserveAsciiControlCharacters",
		refused: "sourceColumnMatch=POSITION",
	},
	reflect.TypeFor[api.HivePartitioningOptions](): {served: "mode", kept: "requirePartitionFilter sourceUriPrefix"},
	reflect.TypeFor[api.TableSchema]():             {served: "fields", refused: "foreignTypeInfo"},
	reflect.TypeFor[api.TableFieldSchema](): {
		served: "defaultValueExpression description fields maxLength mode name precision scale type",
		kept:   "categories dataGovernanceTagsInfo dataPolicies dataPolicyList policyTags",
		refused: "collation foreignTypeDefinition generatedColumn rangeElementType " +
			"roundingMode=ROUNDING_MODE_UNSPECIFIED|ROUND_HALF_AWAY_FROM_ZERO timestampPrecision=6",
	},
	reflect.TypeFor[api.ViewDefinition](): {
		served:  "query",
		refused: "foreignDefinitions privacyPolicy useExplicitColumnNames useLegacySql userDefinedFunctionResources",
	},
	reflect.TypeFor[api.MaterializedViewDefinition](): {
		served: "query", kept: "allowNonIncrementalDefinition enableRefresh maxStaleness refreshIntervalMs",
	},
	reflect.TypeFor[api.TimePartitioning](): {served: "field type", kept: "expirationMs requirePartitionFilter"},
	reflect.TypeFor[api.JobConfiguration](): {
		served: "copy dryRun extract jobTimeoutMs load query", kept: "labels maxSlots reservation", ignored: "jobType",
	},
	reflect.TypeFor[api.JobConfigurationQuery](): {
		served: "clustering connectionProperties createDisposition createSession defaultDataset destinationTable maximumBytesBilled " +
			"parameterMode query queryParameters rangePartitioning schemaUpdateOptions scriptOptions tableDefinitions timePartitioning " +
			"writeDisposition",
		kept:    "allowLargeResults destinationEncryptionConfiguration flattenResults maximumBillingTier priority useQueryCache",
		ignored: "preserveNulls useLegacySql writeIncrementalResults",
		refused: "continuous secureContext userDefinedFunctionResources",
	},
	reflect.TypeFor[api.ScriptOptions](): {
		served: "keyResultStatement", refused: "statementByteBudget statementTimeoutMs",
	},
	reflect.TypeFor[api.JobConfigurationLoad](): {
		served: "allowJaggedRows autodetect clustering createDisposition destinationTable destinationTableProperties encoding fieldDelimiter " +
			"ignoreUnknownValues maxBadRecords nullMarker nullMarkers quote rangePartitioning schema schemaUpdateOptions skipLeadingRows " +
			"sourceColumnMatch sourceFormat sourceUris timePartitioning writeDisposition",
		kept:    "destinationEncryptionConfiguration",
		ignored: "allowQuotedNewlines parquetOptions preserveAsciiControlCharacters useAvroLogicalTypes",
		refused: "columnNameCharacterMap=COLUMN_NAME_CHARACTER_MAP_UNSPECIFIED|STRICT connectionProperties copyFilesOnly createSession " +
			"dateFormat datetimeFormat decimalTargetTypes fileSetSpecType=FILE_SET_SPEC_TYPE_FILE_SYSTEM_MATCH hivePartitioningOptions " +
			"jsonExtension projectionFields referenceFileSchemaUri schemaInline schemaInlineFormat timeFormat timeZone=UTC timestampFormat " +
			"timestampTargetPrecision",
	},
	reflect.TypeFor[api.JobConfigurationExtract](): {
		served:  "compression destinationFormat destinationUri destinationUris fieldDelimiter printHeader sourceTable",
		ignored: "nativeGeographyExportEnabled useAvroLogicalTypes", refused: "modelExtractOptions sourceModel",
	},
	reflect.TypeFor[api.JobConfigurationTableCopy](): {
		served: "createDisposition destinationExpirationTime destinationTable operationType sourceTable sourceTables writeDisposition",
		kept:   "destinationEncryptionConfiguration",
	},
	reflect.TypeFor[api.QueryRequest](): {
		served: "connectionProperties createSession defaultDataset dryRun formatOptions jobCreationMode jobTimeoutMs location maxResults " +
			"maximumBytesBilled parameterMode query queryParameters requestId timeoutMs",
		kept:    "destinationEncryptionConfiguration labels maxSlots reservation useQueryCache",
		ignored: "kind preserveNulls useLegacySql writeIncrementalResults",
		refused: "arrowSerializationOptions continuous queryResultsFormat=JSON|QUERY_RESULTS_FORMAT_UNSPECIFIED secureContext",
	},
	reflect.TypeFor[api.Model](): {
		served: "description expirationTime friendlyName labels", kept: "encryptionConfiguration",
	},
	reflect.TypeFor[api.Routine](): {
		served:  "arguments definitionBody description language returnTableType returnType routineReference routineType",
		kept:    "dataGovernanceType determinismLevel securityMode strictMode",
		refused: "externalRuntimeOptions importedLibraries pythonOptions remoteFunctionOptions sparkOptions",
	},
	reflect.TypeFor[api.Argument](): {
		served: "argumentKind dataType mode name", ignored: "isAggregate", refused: "tableType",
	},
	reflect.TypeFor[api.TableDataInsertAllRequest](): {
		served: "ignoreUnknownValues rows skipInvalidRows templateSuffix", ignored: "kind traceId",
	},
}

// names are those of a list of a treatment, with the values that are let through.
func names(list string) map[string][]string {
	all := map[string][]string{}
	for _, word := range strings.Fields(list) {
		name, values, _ := strings.Cut(word, "=")
		all[name] = nil
		if values != "" {
			all[name] = strings.Split(values, "|")
		}
	}
	return all
}

// checkTreatment refuses a resource with a field that is refused, by its path.
func checkTreatment(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return checkTreatment(v.Elem(), path)
	case reflect.Slice:
		for i := range v.Len() {
			if err := checkTreatment(v.Index(i), path); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if err := checkTreatment(v.MapIndex(k), fmt.Sprintf("%s.%.50s", path, k)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		refused := names(treatments[v.Type()].refused)
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if v.Field(i).IsZero() || name == "" || name == "-" {
				continue
			}
			at := strings.TrimPrefix(path+"."+name, ".")
			if let, ok := refused[name]; ok {
				value := fmt.Sprint(reflect.Indirect(v.Field(i)))
				if slices.ContainsFunc(let, func(l string) bool { return strings.EqualFold(l, value) }) {
					continue
				}
				if len(let) > 0 {
					return unsupported("%s %.50s is not served, %s is", at, value, strings.Join(let, " or "))
				}
				return unsupported("%s is not served", at)
			}
			if err := checkTreatment(v.Field(i), at); err != nil {
				return err
			}
		}
	}
	return nil
}
