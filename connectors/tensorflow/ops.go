package tensorflow

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed ops.txt
var opsText string

// coreOps tells for every op of TensorFlow's own whether its registry calls it stateful.
var coreOps = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool, 2000)
	for line := range strings.Lines(opsText) {
		name, mark, _ := strings.Cut(strings.TrimSpace(line), " ")
		m[name] = mark == "s"
	}
	return m
})

// What a stateful op does to a prediction. Ops that are not stateful by
// TensorFlow's registry need no entry; a stateful op without one counts as
// keeping: it may change from run to run and may hold on to what it is fed.
type effect uint8

const (
	keeps  effect = iota // assigns, queues, inserts: not stateless, and may keep a fed buffer
	reads                // depends on the loaded model only: deterministic, keeps nothing
	varies               // random numbers, clocks: not stateless, keeps nothing
	holds                // holds what it is fed for the length of a run: deterministic
)

var effects = effectTable()

func effectTable() map[string]effect {
	m := map[string]effect{}
	for e, names := range map[effect]string{
		// Variables and tables are filled at loading, and only assigns and inserts,
		// which are "keeps", change them. Calls and control flow are judged by what
		// they call. Checks and prints give no value.
		reads: `VarHandleOp ReadVariableOp Variable VariableV2 VariableShape VarIsInitializedOp IsVariableInitialized
			ResourceGather ResourceGatherNd _ReadVariablesOp _VarHandlesOp DisableCopyOnRead
			RefIdentity RefEnter RefExit RefIn RefMerge RefNextIteration RefSelect RefSwitch
			HashTable HashTableV2 AnonymousHashTable LookupTableFind LookupTableFindV2 LookupTableSize LookupTableSizeV2
			MutableHashTable MutableHashTableV2 MutableHashTableOfTensors MutableHashTableOfTensorsV2 MutableDenseHashTable MutableDenseHashTableV2
			LookupTableExport LookupTableExportV2
			StatefulPartitionedCall If While Case _If _While RemoteCall XlaLaunch XlaCallModule XlaWhile XlaIf
			Assert CheckNumerics CheckNumericsV2 Print PrintV2 GuaranteeConst DeepCopy Empty StatelessRandomGetAlg
			GraphDefVersion DeviceIndex _Arg _Retval IsResourceHandleRefCounting
			BoostedTreesEnsembleResourceHandleOp BoostedTreesPredict IsBoostedTreesEnsembleInitialized`,
		// The sampled shuffles and samplers draw from a generator that moves on at each run.
		varies: `RandomUniform RandomUniformInt RandomStandardNormal RandomGamma RandomPoisson RandomPoissonV2 RandomShuffle RandomCrop
			TruncatedNormal ParameterizedTruncatedNormal Multinomial NonDeterministicInts Timestamp
			StatefulRandomBinomial StatefulStandardNormal StatefulStandardNormalV2 StatefulTruncatedNormal StatefulUniform
			StatefulUniformFullInt StatefulUniformInt RngSkip RngReadAndSkip
			AllCandidateSampler FixedUnigramCandidateSampler LearnedUnigramCandidateSampler LogUniformCandidateSampler
			ThreadUnsafeUnigramCandidateSampler UniformCandidateSampler SampleDistortedBoundingBox SampleDistortedBoundingBoxV2
			Skipgram AnonymousRandomSeedGenerator AnonymousSeedGenerator DeleteRandomSeedGenerator DeleteSeedGenerator SleepOp SleepIdentityOp`,
		// TensorArrays and stacks live in a container of the run, gone at its end.
		holds: `TensorArray TensorArrayV2 TensorArrayV3 TensorArrayClose TensorArrayCloseV2 TensorArrayCloseV3 TensorArrayConcat
			TensorArrayConcatV2 TensorArrayConcatV3 TensorArrayGather TensorArrayGatherV2 TensorArrayGatherV3 TensorArrayRead
			TensorArrayReadV2 TensorArrayReadV3 TensorArrayScatter TensorArrayScatterV2 TensorArrayScatterV3 TensorArraySize
			TensorArraySizeV2 TensorArraySizeV3 TensorArraySplit TensorArraySplitV2 TensorArraySplitV3 TensorArrayWrite TensorArrayWriteV2
			TensorArrayWriteV3 TensorArrayPack TensorArrayUnpack TensorArrayGrad TensorArrayGradV2 TensorArrayGradV3
			TensorArrayGradWithShape Stack StackV2 StackClose StackCloseV2 StackPop StackPopV2 StackPush StackPushV2 TemporaryVariable
			DestroyTemporaryVariable`,
	} {
		for _, name := range strings.Fields(names) {
			m[name] = e
		}
	}
	return m
}

// Reasons to refuse an op.
const (
	readsFiles  = "reads files of the host"
	writesFiles = "writes files of the host"
	network     = "talks to other machines"
	python      = "runs Python"
	endsProcess = "ends the process"
)

// unsafeOps are refused wherever they can be reached.
var unsafeOps = map[string]string{
	"ReadFile": readsFiles, "MatchingFiles": readsFiles, "WholeFileReader": readsFiles, "WholeFileReaderV2": readsFiles,
	"TextLineReader": readsFiles, "TextLineReaderV2": readsFiles, "TFRecordReader": readsFiles, "TFRecordReaderV2": readsFiles,
	"FixedLengthRecordReader": readsFiles, "FixedLengthRecordReaderV2": readsFiles, "LMDBReader": readsFiles, "RecordInput": readsFiles,
	"TextLineDataset": readsFiles, "TFRecordDataset": readsFiles, "TFRecordDatasetV2": readsFiles, "FixedLengthRecordDataset": readsFiles,
	"FixedLengthRecordDatasetV2": readsFiles, "CSVDataset": readsFiles, "CSVDatasetV2": readsFiles, "ExperimentalCSVDataset": readsFiles,
	"LMDBDataset": readsFiles, "ExperimentalLMDBDataset": readsFiles, "SqlDataset": readsFiles, "ExperimentalSqlDataset": readsFiles,
	"MatchingFilesDataset": readsFiles, "ExperimentalMatchingFilesDataset": readsFiles, "LoadDataset": readsFiles,
	"ListSnapshotChunksDataset": readsFiles,
	"SnapshotChunkDataset":      readsFiles, "SnapshotDatasetReader": readsFiles, "SnapshotNestedDatasetReader": readsFiles,
	"ImmutableConst": readsFiles, "GenerateVocabRemapping": readsFiles, "LoadAndRemapMatrix": readsFiles, "DTensorRestoreV2": readsFiles,

	"WriteFile": writesFiles, "Save": writesFiles, "SaveV2": writesFiles, "SaveSlices": writesFiles, "MergeV2Checkpoints": writesFiles,
	"DistributedSave": writesFiles, "SaveDataset": writesFiles, "SaveDatasetV2": writesFiles, "DatasetToTFRecord": writesFiles,
	"ExperimentalDatasetToTFRecord": writesFiles, "CacheDataset": writesFiles, "CacheDatasetV2": writesFiles, "SnapshotDataset": writesFiles,
	"SnapshotDatasetV2": writesFiles, "SummaryWriter": writesFiles, "CreateSummaryFileWriter": writesFiles,
	"CreateSummaryDbWriter": writesFiles,
	"WriteSummary":          writesFiles, "WriteScalarSummary": writesFiles, "WriteHistogramSummary": writesFiles,
	"WriteImageSummary": writesFiles,
	"WriteAudioSummary": writesFiles, "WriteGraphSummary": writesFiles, "WriteRawProtoSummary": writesFiles, "DumpTensor": writesFiles,
	"DebugIdentity": writesFiles, "DebugIdentityV2": writesFiles, "DebugIdentityV3": writesFiles, "DebugNanCount": writesFiles,
	"DebugNumericSummary": writesFiles, "DebugNumericSummaryV2": writesFiles, "CalibrationStatisticsSaver": writesFiles,
	"FileSystemSetConfiguration": "changes how files are reached",

	"RpcServer": network, "RpcServerStart": network, "RpcServerRegister": network, "RpcClient": network, "RpcCall": network,
	"RemoteCall": network, "DataServiceDataset": network, "DataServiceDatasetV2": network, "DataServiceDatasetV3": network,
	"DataServiceDatasetV4": network, "RegisterDataset": network, "RegisterDatasetV2": network, "Send": network, "Recv": network,
	"_Send": network, "_Recv": network, "_HostSend": network, "_HostRecv": network, "CollectiveInitializeCommunicator": network,
	"CollectiveBcastSend": network, "CollectiveBcastSendV2": network, "CollectiveBcastRecv": network, "CollectiveBcastRecvV2": network,
	"CollectiveReduce": network, "CollectiveReduceV2": network, "CollectiveReduceV3": network, "CollectiveGather": network,
	"CollectiveGatherV2": network, "CollectiveAllToAllV2": network, "CollectiveAllToAllV3": network, "WorkerHeartbeat": network,

	"PyFunc": python, "PyFuncStateless": python, "EagerPyFunc": python, "GeneratorDataset": python,
	"Abort": endsProcess,
}

// fileOps read a file that one of their inputs names: allowed when the name is
// an asset of the model, or, for the restoring of variables, the variables' own.
var fileOps = map[string]int{
	"InitializeTableFromTextFile": 1, "InitializeTableFromTextFileV2": 1,
	"Restore": 0, "RestoreSlice": 0, "RestoreV2": 0,
}

// keptAttrs are the text attributes that decide safety: those that may name a
// file, and the name that makes two variables one.
var keptAttrs = map[string]bool{"descriptor_source": true, "output_stream": true, "shared_name": true}

// unsafeAttr judges an attribute that may name a file.
func unsafeAttr(op string, text map[string]string) string {
	switch op {
	case "DecodeProtoV2", "EncodeProto": // "local://" is what is linked in, "bytes://" is in the graph
		if src := text["descriptor_source"]; src != "" && !strings.HasPrefix(src, "local://") && !strings.HasPrefix(src, "bytes://") {
			return readsFiles
		}
	case "PrintV2":
		if strings.HasPrefix(text["output_stream"], "file://") {
			return writesFiles
		}
	}
	return ""
}
