"""Writes the .proto files beside it, a part of the messages of Google's GoogleSQL service, and generates Go from them.

Needs a Python with grpcio-tools 1.85.1, and the messages as the wheel zetasql 0.1.5 has them:

    python3 -m venv v && v/bin/pip install grpcio-tools==1.85.1 && v/bin/pip install --no-deps zetasql==0.1.5
    v/bin/python generate.py

What is reached from ROOTS is kept, but for messages and fields that LEFT_OUT and LEFT_OUT_FIELDS name: these arrive as unknown fields. Of
the syntax tree, which only scripts are read from, the statements of scripts are whole, and of all others the place alone.
"""

import importlib.util
import pathlib
import re
import subprocess
import sys
import tempfile
import types

PACKAGE = "github.com/mallardml/mallard/internal/googlesql/resolved"
HEAD = """// The part of the messages of Google's GoogleSQL service that Mallard reads and writes, with the field numbers of
// zetasql 2025.12 (Apache-2.0, https://github.com/google/googlesql). A field that is left out stays unknown, and is refused where it matters.
syntax = "proto2";

package mallard.googlesql;

"""
TIMESTAMP = """// Timestamp is google.protobuf.Timestamp.
message Timestamp {
  optional int64 seconds = 1;
  optional int32 nanos = 2;
}
"""
IMPORTS = {"types": [], "resolved": ["types"], "parse": ["types"], "service": ["types", "resolved", "parse"]}

ROOTS = """ParseRequest ParseResponse AnalyzeRequest AnalyzeResponse RegisterCatalogRequest RegisterResponse UnregisterRequest
    ExtractTableNamesFromStatementRequest ExtractTableNamesFromStatementResponse ExtractTableNamesFromNextStatementRequest
    ExtractTableNamesFromNextStatementResponse LanguageOptionsRequest AnalyzerOptionsRequest EvaluateQueryRequest EvaluateQueryResponse
    GetBuiltinFunctionsResponse FormatSqlRequest FormatSqlResponse""".split()

LEFT_OUT = re.compile(
    "|".join(
        """Graph MatchRecognize Anonym DifferentialPriv Privilege RowAccess ReplaceField MakeProto ProtoField ProtoOneof Sequence Module ImportStmt
        ExecuteAsRole GroupRows BarrierScan Spanner PrimaryKey ForeignKey Batch RecursionDepth ApproxView Metadata LogScan Tee
        PipeFork PipeExport PipeCreate PipeInsert PipeIf Lock OnConflict Measure Property Locality EntityStmt Tokenlist TokenList
        Descriptor(?!Proto$) FileDescriptor Enum(?!s|Proto$|Value) Internal FilterField UpdateConstructor UpdateField RowField
        ArrayAggregate(?!$) Fix Deprec SimpleGraph ASTGql Subpipeline MultiStmt CreateWithEntry ObjectUnit SimpleSeq Checks?Constraint
        ArithmeticOptions IndexStmt IndexItem Database Constraint ExecuteImmediate Identity Label Collat Anon IsolationLevel
        DMLValueWithProto""".split()
    )
)
LEFT_OUT_FIELDS = re.compile(
    "graph|measure|proto_file|file_descriptor|descriptor_pool|lock_mode|fix|anonym|differential|sequence|property|collation|custom_value|proto$"
    "|proto_type|enum_type|opaque|token"
)

# Of the syntax tree: the messages with all their fields, and the unions that are kept.
WHOLE = re.compile(
    r"^AST("
    + "|".join(
        """Script StatementList IfStatement Elseif WhileStatement LoopStatement RepeatStatement Until ForIn BeginEnd Exception Case When Variable
        Single Assignment SystemVariableAss Parameter Break Continue Return Raise Begin Commit Rollback Execute IdentifierList Identifier$
        PathExpression Label Call TVFArgument Statement ScriptStatement LoopStatement Node LabeledS UnconditionalBranch ElseIf IntoAlias
        IdentifierProto Using""".split()
    )
    + ")"
)
UNIONS = """AnyASTStatementProto AnyASTScriptStatementProto AnyASTLoopStatementProto AnyASTUnconditionalBranch AnyASTNodeProto AnyASTExpressionProto
    AnyASTBreakContinueStatementProto AnyASTBreakStatementProto""".split()
PLACE_ALONE = ("AnyASTExpressionProto", "AnyASTNodeProto")

# Enums that are numbers in Go: thousands of names that nobody reads.
NUMBERS = {"FunctionSignatureId", "ResolvedASTRewrite", "ResolvedNodeKind", "ASTNodeKind"}


def messages_of_wheel():
    """The service's messages, without the package's own imports, which want wasmtime."""
    [base] = importlib.util.find_spec("zetasql").submodule_search_locations
    for name, path in (("zetasql", base), ("zetasql.wasi", base + "/wasi")):
        module = types.ModuleType(name)
        module.__path__ = [path]
        sys.modules[name] = module
    from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2

    return local_service_pb2.DESCRIPTOR.message_types_by_name


def is_syntax(m):
    return m.file.name.endswith("parse_tree.proto")


def is_kept(m):
    if not is_syntax(m):
        return not LEFT_OUT.search(m.name)
    return not m.name.startswith("Any") or m.name in UNIONS


def is_field_kept(m, f):
    syntax = is_syntax(m)
    whole = m.name.startswith("Any") or WHOLE.search(m.name)
    if f.message_type:
        of = f.message_type
        if not is_kept(of) or of.full_name.startswith("google.") and of.full_name != "google.protobuf.Timestamp":
            return False
        if syntax and (not whole and f.name != "parent" or m.name in PLACE_ALONE):
            return False
    elif syntax and not whole:
        return False
    return syntax or not LEFT_OUT_FIELDS.search(f.name)


class Kept:
    """What is reached from the roots."""

    def __init__(self, roots):
        self.messages, self.enums, self.holders = {}, {}, set()
        for r in roots:
            self.visit(r)
        for m in list(self.messages.values()):
            for f in m.fields:
                if is_field_kept(m, f) and f.enum_type is not None and f.enum_type.name not in NUMBERS:
                    self.add_enum(f.enum_type)

    def visit(self, m):
        if m.full_name in self.messages:
            return
        if m.containing_type is not None:
            self.visit(m.containing_type)
        self.messages[m.full_name] = m
        for f in m.fields:
            if is_field_kept(m, f) and f.message_type and not f.message_type.full_name.startswith("google."):
                self.visit(f.message_type)

    def add_enum(self, e):
        outer = e.containing_type
        if outer is not None and outer.full_name not in self.messages:
            self.messages[outer.full_name] = outer
            self.holders.add(outer.full_name)
        self.enums[e.full_name] = e


def file_of(d):
    n = d.file.name
    if "local_service" in n:
        return "service"
    if "parse_tree" in n or "parser/ast_enums" in n:
        return "parse"
    return "resolved" if n.endswith("resolved_ast.proto") else "types"


def local_name(d):
    return d.name if d.containing_type is None else local_name(d.containing_type) + "." + d.name


def enum_text(e, indent):
    s = f"{indent}enum {e.name} {{\n"
    numbers = [v.number for v in e.values]
    if len(numbers) != len(set(numbers)):
        s += indent + "  option allow_alias = true;\n"
    for v in e.values:
        s += f"{indent}  {v.name} = {v.number};\n"
    return s + indent + "}\n"


def field_text(f, indent, label):
    from google.protobuf.descriptor import FieldDescriptor

    names = {v: k[5:].lower() for k, v in FieldDescriptor.__dict__.items() if k.startswith("TYPE_")}
    number = f.enum_type is not None and f.enum_type.name in NUMBERS
    if f.message_type or f.enum_type and not number:
        of = ".mallard.googlesql." + local_name(f.message_type or f.enum_type)
    else:
        of = "int32" if number else names[f.type]
    option = " [packed = true]" if f.is_repeated and f.GetOptions().packed else ""
    if f.has_default_value and f.enum_type and not number:
        option = f" [default = {f.enum_type.values_by_number[f.default_value].name}]"
    elif f.has_default_value and not f.enum_type and not f.is_repeated:
        v = f.default_value
        option = " [default = %s]" % (str(v).lower() if isinstance(v, bool) else f'"{v}"' if isinstance(v, str) else v)
    return f"{indent}{label}{of} {f.name} = {f.number}{option};\n"


def message_text(kept, m, indent):
    s = f"{indent}message {m.name} {{\n"
    for e in m.enum_types:
        if e.full_name in kept.enums:
            s += enum_text(e, indent + "  ")
    for n in m.nested_types:
        if n.full_name in kept.messages:
            s += message_text(kept, n, indent + "  ")
    done = set()
    for f in m.fields if m.full_name not in kept.holders else ():
        if not is_field_kept(m, f):
            continue
        choice = f.containing_oneof
        if choice is None:
            s += field_text(f, indent + "  ", "repeated " if f.is_repeated else "optional ")
        elif choice.name not in done:
            done.add(choice.name)
            s += f"{indent}  oneof {choice.name} {{\n"
            s += "".join(field_text(g, indent + "    ", "") for g in choice.fields if is_field_kept(m, g))
            s += indent + "  }\n"
    return s + indent + "}\n"


def main():
    here = pathlib.Path(__file__).parent
    all_messages = messages_of_wheel()
    kept = Kept([all_messages[r] for r in ROOTS if r in all_messages])
    texts = dict.fromkeys(IMPORTS, "")
    for e in sorted(kept.enums.values(), key=lambda e: e.name):
        if e.containing_type is None:
            texts[file_of(e)] += enum_text(e, "") + "\n"
    for m in sorted(kept.messages.values(), key=lambda m: m.name):
        if m.containing_type is None:
            texts[file_of(m)] += message_text(kept, m, "") + "\n"
    texts["types"] += TIMESTAMP
    with tempfile.TemporaryDirectory() as tmp:
        root = pathlib.Path(tmp)
        (root / "resolved").mkdir()
        for name, text in texts.items():
            imports = "".join(f'import "resolved/{i}.proto";\n' for i in IMPORTS[name])
            text = f'{HEAD}{imports}{imports and chr(10)}option go_package = "{PACKAGE}";\n\n{text}'
            for folder in (here, root / "resolved"):
                (folder / f"{name}.proto").write_text(text)
        plugin = root / "protoc-gen-go"
        subprocess.run(["go", "build", "-o", plugin, "google.golang.org/protobuf/cmd/protoc-gen-go"], check=True, cwd=here)
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", f"--plugin={plugin}", f"--go_out={root}"]
        subprocess.run(command + [f"resolved/{name}.proto" for name in texts], check=True, cwd=root)
        for file in (root / PACKAGE).glob("*.go"):
            (here / file.name).write_text(file.read_text())


if __name__ == "__main__":
    main()
