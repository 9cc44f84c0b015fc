package writer

// temporal are the operators over dates, times and intervals.
var temporal = map[string]entry{}
