// mallard_googlesql_start opens the library at path and starts its service. It gives a connected socket, or -1 and a
// message of at most n bytes. It may be called once in a process.
int mallard_googlesql_start(const char *path, char *message, int n);
