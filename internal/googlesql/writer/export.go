package writer

import (
	"strings"

	"github.com/mallardml/mallard/internal/googlesql/resolved"
	"github.com/mallardml/mallard/internal/quote"
)

// exportData writes EXPORT DATA as COPY. BigQuery's uri has one star, for the number of the file; there is one file here.
func (w *writer) exportData(s *resolved.ResolvedExportDataStmtProto) string {
	at := location(s.GetParent().GetParent())
	if s.GetConnection() != nil || s.GetIsValueTable() {
		refuse(at, "EXPORT DATA with a connection, or of values,")
	}
	uri, format, compression, header, delimiter := "", "", "", "false", ""
	for _, o := range s.GetOptionList() {
		v := o.GetValue().GetResolvedLiteralNode().GetValue().GetValue()
		switch strings.ToLower(o.GetName()) {
		case "uri":
			uri = v.GetStringValue()
		case "format":
			format = strings.ToUpper(v.GetStringValue())
		case "compression":
			compression = strings.ToLower(v.GetStringValue())
		case "overwrite":
			if !v.GetBoolValue() {
				refuse(place(o.GetValue()), "EXPORT DATA that overwrites nothing")
			}
		case "header":
			if v.GetBoolValue() {
				header = "true"
			}
		case "field_delimiter":
			delimiter = v.GetStringValue()
		default:
			refuse(location(o.GetParent().GetParent()), "the option %s of EXPORT DATA", o.GetName())
		}
	}
	if uri == "" {
		refuse(at, "EXPORT DATA without the option uri")
	}
	options := ""
	switch format {
	case "CSV":
		options = "FORMAT csv, HEADER " + header
		if delimiter != "" {
			options += ", DELIMITER " + quote.Text(delimiter)
		}
	case "JSON":
		options = "FORMAT json"
	case "PARQUET":
		options = "FORMAT parquet"
	default:
		refuse(at, "EXPORT DATA in the format %s", format)
	}
	if compression != "" && compression != "none" {
		options += ", COMPRESSION " + quote.Text(compression)
	}
	uri = strings.Replace(uri, "*", "000000000000", 1)
	if w.names.Export != nil {
		file, err := w.names.Export(uri)
		if err != nil {
			panic(failed{err})
		}
		uri = file
	}
	return "COPY (" + w.query(s.GetQuery(), s.GetOutputColumnList()) + ") TO " + quote.Text(uri) + " (" + options + ")"
}
