//go:build mallard_loadable

// What duckdb-go links in place of libduckdb where a DuckDB loads Mallard. Opening "host:<number>" gives the host's own database, and
// nothing else can be opened. The other functions are the host's, through the trampolines, but for those that hand callbacks to the
// host: between these and Go stands a guard.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <string>
#include <utility>
#include <vector>
#include "duckdb_generated.h"
#include "shim.h"

namespace {

// A DuckDB keeps no database open for an extension: C has no handle that lives as long as the database and no longer. C++ has one.
// DuckDB's DatabaseInstance begins with a weak pointer to itself (enable_shared_from_this), which the C++ library lays out alike for
// every class. check_layout compares what is found there with the owner's pointer, before anything is done with it.
using weak = std::weak_ptr<void>;
using strong = std::shared_ptr<void>;

std::mutex mutex;
std::map<uint64_t, weak> databases;
uint64_t last;

struct handle { // what stands behind our duckdb_database
	weak database;
};

void *word(void *p, int i) { return static_cast<void **>(p)[i]; }

const char *check_layout(void *duckdb) {
	static_assert(sizeof(weak) == 2 * sizeof(void *) && sizeof(strong) == 2 * sizeof(void *), "pointer and count");
	void *instance = word(duckdb, 0);
	if (!instance || word(instance, 0) != instance || word(instance, 1) != word(duckdb, 1)) {
		return "mallard does not know how this build of DuckDB keeps its database in memory, and loads into the builds of duckdb.org, "
		       "PyPI, npm and Maven only";
	}
	return nullptr;
}

} // namespace

extern "C" {

duckdb_state host_duckdb_connect(duckdb_database, duckdb_connection *);

static duckdb_state connect(weak &database, duckdb_connection *out) {
	strong held = database.lock();
	if (!held) {
		return DuckDBError;
	}
	// What duckdb_connect takes points at a DuckDB, which begins with a shared pointer to its instance.
	void *wrapper[2] = {&held, nullptr};
	return host_duckdb_connect(reinterpret_cast<duckdb_database>(wrapper), out);
}

HIDDEN duckdb_state duckdb_connect(duckdb_database db, duckdb_connection *out) {
	return db ? connect(reinterpret_cast<handle *>(db)->database, out) : DuckDBError;
}

static duckdb_state open(const char *path, duckdb_database *out, char **error) {
	unsigned long long number = 0;
	const char *base = path ? strstr(path, "host:") : nullptr;
	std::lock_guard<std::mutex> lock(mutex);
	auto found = databases.end();
	if (base && sscanf(base, "host:%llu", &number) == 1) {
		found = databases.find(number);
	}
	if (found == databases.end()) {
		if (error) {
			*error = strdup("inside of a DuckDB that has loaded it, Mallard opens no databases of its own: ATTACH it");
		}
		return DuckDBError;
	}
	*out = reinterpret_cast<duckdb_database>(new handle{found->second});
	return DuckDBSuccess;
}

HIDDEN duckdb_state duckdb_open(const char *path, duckdb_database *out) { return open(path, out, nullptr); }
HIDDEN duckdb_state duckdb_open_ext(const char *path, duckdb_database *out, duckdb_config, char **error) { return open(path, out, error); }
HIDDEN duckdb_state duckdb_get_or_create_from_cache(duckdb_instance_cache, const char *path, duckdb_database *out, duckdb_config, char **error) {
	return open(path, out, error);
}
HIDDEN duckdb_instance_cache duckdb_create_instance_cache(void) { return reinterpret_cast<duckdb_instance_cache>(&last); }
HIDDEN void duckdb_destroy_instance_cache(duckdb_instance_cache *c) { *c = nullptr; }
HIDDEN void duckdb_close(duckdb_database *db) {
	if (db && *db) {
		delete reinterpret_cast<handle *>(*db);
		*db = nullptr;
	}
}

// Exceptions.

static thread_local std::string *thrown;

void host_threw(const char *function) {
	std::string text = std::string(function) + " of DuckDB threw ";
	try {
		throw;
	} catch (const std::exception &e) {
		text += e.what();
	} catch (...) {
		text += "what is no exception of C++'s library";
	}
	if (!thrown) {
		thrown = new std::string(text);
	}
}

// take gives the exception that has been caught on this thread since the last call.
static std::unique_ptr<std::string> take() { return std::unique_ptr<std::string>(std::exchange(thrown, nullptr)); }

// Forks.

static std::atomic<bool> forked;
static const char *const forked_text =
    "mallard was loaded before this process was forked, and Go does not survive a fork: start processes with the method \"spawn\" "
    "(multiprocessing.set_start_method(\"spawn\")), or LOAD in the child only";

// A child that ends would close the databases of its parent, and DuckDB would wait for threads that the child does not have: it keeps
// them open instead.
static void before_fork() { mutex.lock(); }
static void after_fork() { mutex.unlock(); }
static void in_child() {
	forked = true;
	for (auto &d : databases) {
		new strong(d.second.lock());
	}
	mutex.unlock();
}

// Callbacks. DuckDB gets a guard in place of each callback of Go's: one function for each slot, since DuckDB does not say which one it
// calls. There are few callbacks, which are registered again and again.

void host_duckdb_scalar_function_set_function(duckdb_scalar_function, duckdb_scalar_function_t);
void host_duckdb_scalar_function_set_bind(duckdb_scalar_function, duckdb_scalar_function_bind_t);
void host_duckdb_scalar_function_set_bind_data(duckdb_bind_info, void *, duckdb_delete_callback_t);
void host_duckdb_scalar_function_set_bind_data_copy(duckdb_bind_info, duckdb_copy_callback_t);
void host_duckdb_scalar_function_set_extra_info(duckdb_scalar_function, void *, duckdb_delete_callback_t);
void host_duckdb_table_function_set_bind(duckdb_table_function, duckdb_table_function_bind_t);
void host_duckdb_table_function_set_init(duckdb_table_function, duckdb_table_function_init_t);
void host_duckdb_table_function_set_local_init(duckdb_table_function, duckdb_table_function_init_t);
void host_duckdb_table_function_set_function(duckdb_table_function, duckdb_table_function_t);
void host_duckdb_table_function_set_extra_info(duckdb_table_function, void *, duckdb_delete_callback_t);
void host_duckdb_bind_set_bind_data(duckdb_bind_info, void *, duckdb_delete_callback_t);
void host_duckdb_init_set_init_data(duckdb_init_info, void *, duckdb_delete_callback_t);

} // extern "C"

namespace {

constexpr size_t slots = 16;

// guard<Kind, …> has the callbacks of one kind. Kind says how one fails.
template <class Kind, class Callback>
struct guard;

template <class Kind, class Result, class... Args>
struct guard<Kind, Result (*)(Args...)> {
	using callback = Result (*)(Args...);
	static inline callback all[slots];

	template <size_t N>
	static Result call(Args... args) {
		if (forked) {
			return Kind::refuse(forked_text, args...);
		}
		take();
		if constexpr (std::is_void_v<Result>) {
			all[N](args...);
			if (auto text = take()) {
				Kind::refuse(text->c_str(), args...);
			}
		} else {
			return all[N](args...);
		}
	}

	template <size_t... N>
	static callback find(callback c, std::index_sequence<N...>) {
		static constexpr callback guards[] = {&call<N>...};
		std::lock_guard<std::mutex> lock(mutex);
		for (size_t i = 0; i < slots; i++) {
			if (!all[i] || all[i] == c) {
				all[i] = c;
				return guards[i];
			}
		}
		fprintf(stderr, "mallard: internal error: more than %zu callbacks of one kind\n", slots);
		abort();
	}

	static callback of(callback c) { return c ? find(c, std::make_index_sequence<slots>()) : nullptr; }
};

struct execute {
	static void refuse(const char *text, duckdb_function_info i, duckdb_data_chunk, duckdb_vector) { duckdb_scalar_function_set_error(i, text); }
};
struct scalar_bind {
	static void refuse(const char *text, duckdb_bind_info i) { duckdb_scalar_function_bind_set_error(i, text); }
};
struct table_bind {
	static void refuse(const char *text, duckdb_bind_info i) { duckdb_bind_set_error(i, text); }
};
struct init {
	static void refuse(const char *text, duckdb_init_info i) { duckdb_init_set_error(i, text); }
};
struct scan {
	static void refuse(const char *text, duckdb_function_info i, duckdb_data_chunk) { duckdb_function_set_error(i, text); }
};
struct drop { // in a fork what Go has is the parent's
	static void refuse(const char *, void *) {}
};
struct copy {
	static void *refuse(const char *, void *p) { return p; }
};

using drops = guard<drop, duckdb_delete_callback_t>;

} // namespace

extern "C" {

HIDDEN void duckdb_scalar_function_set_function(duckdb_scalar_function f, duckdb_scalar_function_t c) {
	host_duckdb_scalar_function_set_function(f, guard<execute, duckdb_scalar_function_t>::of(c));
}
HIDDEN void duckdb_scalar_function_set_bind(duckdb_scalar_function f, duckdb_scalar_function_bind_t c) {
	host_duckdb_scalar_function_set_bind(f, guard<scalar_bind, duckdb_scalar_function_bind_t>::of(c));
}
HIDDEN void duckdb_scalar_function_set_bind_data(duckdb_bind_info i, void *p, duckdb_delete_callback_t c) {
	host_duckdb_scalar_function_set_bind_data(i, p, drops::of(c));
}
HIDDEN void duckdb_scalar_function_set_bind_data_copy(duckdb_bind_info i, duckdb_copy_callback_t c) {
	host_duckdb_scalar_function_set_bind_data_copy(i, guard<copy, duckdb_copy_callback_t>::of(c));
}
HIDDEN void duckdb_scalar_function_set_extra_info(duckdb_scalar_function f, void *p, duckdb_delete_callback_t c) {
	host_duckdb_scalar_function_set_extra_info(f, p, drops::of(c));
}
HIDDEN void duckdb_table_function_set_bind(duckdb_table_function f, duckdb_table_function_bind_t c) {
	host_duckdb_table_function_set_bind(f, guard<table_bind, duckdb_table_function_bind_t>::of(c));
}
HIDDEN void duckdb_table_function_set_init(duckdb_table_function f, duckdb_table_function_init_t c) {
	host_duckdb_table_function_set_init(f, guard<init, duckdb_table_function_init_t>::of(c));
}
HIDDEN void duckdb_table_function_set_local_init(duckdb_table_function f, duckdb_table_function_init_t c) {
	host_duckdb_table_function_set_local_init(f, guard<init, duckdb_table_function_init_t>::of(c));
}
HIDDEN void duckdb_table_function_set_function(duckdb_table_function f, duckdb_table_function_t c) {
	host_duckdb_table_function_set_function(f, guard<scan, duckdb_table_function_t>::of(c));
}
HIDDEN void duckdb_table_function_set_extra_info(duckdb_table_function f, void *p, duckdb_delete_callback_t c) {
	host_duckdb_table_function_set_extra_info(f, p, drops::of(c));
}
HIDDEN void duckdb_bind_set_bind_data(duckdb_bind_info i, void *p, duckdb_delete_callback_t c) {
	host_duckdb_bind_set_bind_data(i, p, drops::of(c));
}
HIDDEN void duckdb_init_set_init_data(duckdb_init_info i, void *p, duckdb_delete_callback_t c) {
	host_duckdb_init_set_init_data(i, p, drops::of(c));
}

// Loading.

// check_order compares the table with the functions that the host's file shows by name, as those of Python, Node and JDBC do. That of a
// command line shows none: what its version says has to do.
static const char *check_order(void *const *functions) {
	static std::string text;
	std::unique_ptr<void, int (*)(void *)> file(nullptr, dlclose);
	for (size_t i = 0; i < host_size; i++) {
		// One file shows them all, as a rule. dladdr goes through all symbols of a file, 56,000 in Python's: it is asked for the others only.
		if (file && functions[i] && dlsym(file.get(), host_names[i]) == functions[i]) {
			continue;
		}
		Dl_info info;
		if (!functions[i] || !dladdr(functions[i], &info) || !info.dli_fname) {
			text = std::string("mallard: the host's table has no function ") + host_names[i];
			return text.c_str();
		}
		file.reset(dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD));
		if (!file) {
			continue; // the program itself, by a name that the loader does not know
		}
		void *named = dlsym(file.get(), host_names[i]);
		Dl_info where;
		if (named && named != functions[i] && dladdr(named, &where) && where.dli_fbase == info.dli_fbase) {
			text = std::string("mallard was built for another order of DuckDB's functions: at the place of ") + host_names[i] +
			       " this DuckDB has another one";
			return text.c_str();
		}
	}
	return nullptr;
}

static const char *const versions[] = {"v1.5.2", "v1.5.3", "v1.5.4", "v1.5.5", "v1.5.6", "v2.0.0", "v2.0.1"};

static const char *check_version() {
	const char *version = duckdb_library_version();
	static std::string text = "mallard was tested with these versions of DuckDB and loads into no others:";
	for (const char *v : versions) {
		if (version && !strcmp(v, version)) {
			return nullptr;
		}
		text += std::string(" ") + (v + 1);
	}
	text += std::string("; this one says ") + (version ? version : "none");
	return text.c_str();
}

// check_count connects once: the connection has to be an owner of the database that the weak pointer counts.
static const char *check_count(weak database) {
	duckdb_connection c = nullptr;
	long before = database.use_count();
	if (connect(database, &c) != DuckDBSuccess) {
		return "mallard cannot connect to the database that loads it";
	}
	long during = database.use_count();
	duckdb_disconnect(&c);
	if (during <= before) {
		return "mallard does not know how this build of DuckDB counts the owners of a database";
	}
	return nullptr;
}

static uint64_t load(const void *table, void *duckdb, const char **error) {
	static std::once_flag once;
	static std::vector<void *> known;
	std::call_once(once, [] { pthread_atfork(before_fork, after_fork, in_child); });
	if (forked) {
		*error = forked_text;
		return 0;
	}
	auto functions = static_cast<void *const *>(table);
	{
		std::lock_guard<std::mutex> lock(mutex);
		if (known.empty()) {
			// duckdb_library_version has the same place in all versions, so that it can be asked before the others are trusted.
			host_set(table);
			if ((*error = check_version()) || (*error = check_order(functions))) {
				return 0;
			}
			known.assign(functions, functions + host_size);
		}
		if (memcmp(known.data(), functions, host_size * sizeof(void *))) {
			*error = "another DuckDB in this process has loaded mallard from the same file; it serves one DuckDB in a process";
			return 0;
		}
	}
	if ((*error = check_layout(duckdb))) {
		return 0;
	}
	weak database = *static_cast<weak *>(word(duckdb, 0));
	if ((*error = check_count(database))) {
		return 0;
	}
	std::lock_guard<std::mutex> lock(mutex);
	databases[++last] = database;
	return last;
}

char *mallardInit(uint64_t number); // of Go's; NULL, or why not

// DuckDB calls this for LOAD.
__attribute__((visibility("default"))) bool mallard_init_c_api(duckdb_extension_info info, duckdb_extension_access *access) {
	const void *table = access->get_api(info, "v1.5.6");
	duckdb_database *database = table ? access->get_database(info) : nullptr;
	if (!database) {
		return false; // DuckDB has said why
	}
	const char *error = nullptr;
	uint64_t number = load(table, *database, &error);
	if (number == 0) {
		access->set_error(info, error);
		return false;
	}
	if (char *text = mallardInit(number)) {
		access->set_error(info, text);
		free(text);
		mallard_forget(number);
		return false;
	}
	return true;
}

void mallard_forget(uint64_t number) {
	std::lock_guard<std::mutex> lock(mutex);
	databases.erase(number);
}

} // extern "C"
