// Starts Google's LocalService, which its native library offers to Java, and gives the client's end of its socket pair.
//
// The library asks its Java machine for eleven functions while JNI_OnLoad and getSocketChannel run. They are answered here:
// a class or a method is its name, an object is a constant, and the file descriptor is what sun.nio.ch.IOUtil.newFD(int) is
// given. Their places in the tables are those of the JNI specification, "Interface Function Table".
#define _GNU_SOURCE
#include "native.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	GET_VERSION = 4,
	FIND_CLASS = 6,
	NEW_OBJECT_V = 29,
	GET_METHOD_ID = 33,
	GET_STATIC_METHOD_ID = 113,
	CALL_STATIC_OBJECT_METHOD_V = 115,
	NEW_STRING_UTF = 167,
	GET_STRING_UTF_CHARS = 169,
	RELEASE_STRING_UTF_CHARS = 170,
	REGISTER_NATIVES = 215,
	EXCEPTION_CHECK = 228,
	JNI_SLOTS = 235,
};

typedef struct {
	char *name, *signature;
	void *function;
} native_method;

static void *socket_channel;
static int client = -1;

static int get_version(void *env) { return 0x00010008; }
static void *same_name(void *env, const char *name) { return (void *)name; }
static void *method_id(void *env, void *class, const char *name, const char *signature) { return (void *)name; }
static void *new_object(void *env, void *class, void *method, va_list args) { return "object"; }
static void *call_static(void *env, void *class, const char *method, va_list args) {
	if (!strcmp(method, "newFD")) client = va_arg(args, int);
	return "none"; // of System.getProperty("zetasql.local_service.class")
}
static const char *chars(void *env, void *string, unsigned char *copied) {
	if (copied) *copied = 0;
	return string;
}
static void release(void *env, void *string, const char *chars) {}
static int register_natives(void *env, void *class, const native_method *methods, int n) {
	for (int i = 0; i < n; i++)
		if (!strcmp(methods[i].name, "getSocketChannel")) socket_channel = methods[i].function;
	return 0;
}
static unsigned char no_exception(void *env) { return 0; }
static void unknown(void) {
	fputs("mallard: the GoogleSQL library calls a Java function that is not provided\n", stderr);
	abort();
}

static void *functions[JNI_SLOTS];
static void **env = functions;

static int get_env(void *vm, void **out, int version) {
	*out = &env;
	return 0;
}

int mallard_googlesql_start(const char *path, char *message, int n) {
	// RTLD_DEEPBIND: it brings its own protobuf and abseil, as TensorFlow's library does.
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	if (!library) {
		snprintf(message, n, "%s", dlerror());
		return -1;
	}
	for (int i = 0; i < JNI_SLOTS; i++) functions[i] = unknown;
	functions[GET_VERSION] = get_version;
	functions[FIND_CLASS] = same_name;
	functions[NEW_OBJECT_V] = new_object;
	functions[GET_METHOD_ID] = method_id;
	functions[GET_STATIC_METHOD_ID] = method_id;
	functions[CALL_STATIC_OBJECT_METHOD_V] = call_static;
	functions[NEW_STRING_UTF] = same_name;
	functions[GET_STRING_UTF_CHARS] = chars;
	functions[RELEASE_STRING_UTF_CHARS] = release;
	functions[REGISTER_NATIVES] = register_natives;
	functions[EXCEPTION_CHECK] = no_exception;
	static void *invoke[8] = {0, 0, 0, unknown, unknown, unknown, get_env, unknown};
	static void **vm = invoke;
	int (*on_load)(void *, void *) = dlsym(library, "JNI_OnLoad");
	if (!on_load) {
		snprintf(message, n, "it has no JNI_OnLoad");
		return -1;
	}
	on_load(&vm, NULL);
	if (!socket_channel) {
		snprintf(message, n, "it offers no getSocketChannel");
		return -1;
	}
	((void *(*)(void *, void *))socket_channel)(&env, "class");
	if (client < 0) snprintf(message, n, "it made no socket");
	return client;
}
