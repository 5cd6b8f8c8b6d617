#include "api/in_process.h"

#include "api/deliver.h"
#include "api/engine_plugin.h"
#include "api/error.h"
#include "base/auto.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct hf_in_process {
    void *module;
    const struct hf_engine_plugin *plugin;
};

enum { REPORT_ARENA_CAP = 64 << 20 };
#define MODULE_NAME "libholdfast-engine.so"

static void *load_beside(const char *worker_path)
{
    const char *slash = strrchr(worker_path, '/');
    char *path = NULL;
    if (slash == NULL ||
        asprintf(&path, "%.*s/" MODULE_NAME, (int)(slash - worker_path), worker_path) < 0)
        return NULL;
    void *module = access(path, R_OK) == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    free(path);
    return module;
}

static void *load_module(const char *worker_path)
{
    const char *named = secure_getenv("HOLDFAST_ENGINE");
    if (named != NULL)
        return dlopen(named, RTLD_NOW | RTLD_LOCAL);
    void *module = load_beside(worker_path);
    return module != NULL ? module : dlopen(HOLDFAST_ENGINE_DIR "/" MODULE_NAME, RTLD_NOW);
}

enum hf_status hf_in_process_new(const char *worker_path, struct hf_in_process **out)
{
    struct hf_in_process *in_process = calloc(1, sizeof *in_process);
    if (in_process == NULL)
        return hf_error_set(HF_NOMEM, "out of memory");
    in_process->module = load_module(worker_path);
    if (in_process->module == NULL) {
        const char *why = dlerror();
        enum hf_status st =
            hf_error_set(HF_NOTFOUND, "%s", why != NULL ? why : MODULE_NAME);
        hf_in_process_free(in_process);
        return st;
    }
    in_process->plugin = dlsym(in_process->module, HF_ENGINE_PLUGIN_SYMBOL);
    if (in_process->plugin == NULL ||
        strcmp(in_process->plugin->version, HOLDFAST_VERSION) != 0) {
        hf_in_process_free(in_process);
        return hf_error_set(HF_UNSUPPORTED, MODULE_NAME " is of another version");
    }
    *out = in_process;
    return HF_OK;
}

void hf_in_process_free(struct hf_in_process *in_process)
{
    /* The module stays loaded: libraries that it brought in may have registered themselves. */
    free(in_process);
}

enum hf_status hf_in_process_scan(struct hf_in_process *in_process, const struct hf_db *db,
                                  const struct hf_options *options, struct hf_bytes bytes,
                                  hf_on_detection *on_found, void *user,
                                  struct hf_result *result)
{
    const struct hf_engine_plugin *plugin = in_process->plugin;
    HF_AUTO(hf_arena_release) struct hf_arena *arena = hf_arena_new(REPORT_ARENA_CAP);
    if (arena == NULL)
        return hf_error_set(HF_NOMEM, "out of memory");
    struct hf_engine *engine = plugin->open(db, &options->limits, options->all_match);
    if (engine == NULL)
        return hf_error_set(HF_NOMEM, "out of memory");
    struct hf_report report = hf_report_begin(arena);
    enum hf_status st = plugin->scan(engine, bytes, &report);
    plugin->close(engine);
    if (st != HF_OK)
        return hf_error_set(st, "%s", hf_status_text(st));
    return hf_deliver(db, &report, on_found, user, result);
}
