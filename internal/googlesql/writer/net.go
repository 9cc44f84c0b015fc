package writer

// nets are the functions NET.… (https://docs.cloud.google.com/bigquery/docs/reference/standard-sql/net_functions).
var nets = map[string]entry{
	"net.host":                goFunction("net_host"),
	"net.public_suffix":       goFunction("net_public_suffix"),
	"net.reg_domain":          goFunction("net_reg_domain"),
	"net.ip_from_string":      goFunction("net_ip_from_string"),
	"net.safe_ip_from_string": goFunction("net_safe_ip_from_string"),
	"net.ip_to_string":        goFunction("net_ip_to_string"),
	"net.ip_net_mask":         goFunction("net_ip_net_mask"),
	"net.ip_trunc":            goFunction("net_ip_trunc"),
	"net.ipv4_from_int64":     goFunction("net_ipv4_from_int64"),
	"net.ipv4_to_int64":       goFunction("net_ipv4_to_int64"),
}
