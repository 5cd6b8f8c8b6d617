#include "daemon/config.h"

#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <stdlib.h>

#define AT(field) offsetof(struct hf_config, field)
#define NOWHERE   SIZE_MAX

#define B HF_SETTING_BOOL
#define N HF_SETTING_NUMBER
#define S HF_SETTING_SIZE
#define T HF_SETTING_TEXT
#define L HF_SETTING_LIST

/* Why options of clamd.conf are without effect. */
#define ALWAYS   "always done"
#define NEVER    "not offered"
#define OWN_WAY  "Holdfast has its own way of it"
#define LATER    "on-access scanning is configured elsewhere"
#define CONTENT  "decided when the database is compiled"
#define ENGINE   "the engine's own limits hold"
#define OBSOLETE "obsolete in ClamAV itself"
#define NO_MORE  "replaced in ClamAV 1.4 by another option"

/* clang-format off */
const struct hf_setting hf_settings[] = {
    /* who and where */
    {"User", "daemon", "user", T, AT(user), NULL, "account that opens files and scans; needed when started as root"},
    {"PidFile", "daemon", "pid-file", T, AT(pid_file), NULL, "file for the process id of the supervisor"},
    {"TemporaryDirectory", "daemon", "temporary-directory", T, AT(temporary), NULL, "folder for unlinked files of large streams and objects (default: $TMPDIR, /var/tmp, /tmp)"},
    {"DatabaseDirectory", "daemon", "database", L, AT(databases), NULL, "compiled database, text signatures, or a folder of them; may be repeated (default: built-in)"},
    {"DetectPUA", "daemon", "pua", B, AT(pua), "yes", "take text signatures of unwanted programs (.hdu .hsu .mdu .msu .ndu .ldu); clamd.conf: no, unless it says so"},
    {"ExcludePUA", "daemon", "pua-exclude", L, AT(pua_exclude), NULL, "not of this kind ('Packed'); may be repeated"},
    {"IncludePUA", "daemon", "pua-include", L, AT(pua_include), NULL, "only of this kind; may be repeated"},
    {"SelfCheck", "daemon", "self-check", N, AT(self_check_s), "600", "look for changed databases every so many seconds; 0: never"},
    {NULL, "daemon", "hang-timeout", N, AT(hang_timeout_s), "10", "a process that gives no sign of life for so many seconds is replaced"},
    /* listening */
    {"LocalSocket", "listen", "unix", T, AT(unix_path), NULL, "path of the unix socket"},
    {"LocalSocketGroup", "listen", "unix-group", T, AT(unix_group), NULL, "group of the socket's file"},
    {"LocalSocketMode", "listen", "unix-mode", HF_SETTING_MODE, AT(unix_mode), "666", "access mode of the socket's file, octal"},
    {"FixStaleSocket", "listen", "fix-stale", B, AT(fix_stale), "yes", "replace a socket file that nobody listens on"},
    {"TCPSocket", "listen", "tcp-port", N, AT(tcp_port), "0", "TCP port; 0: none"},
    {"TCPAddr", "listen", "tcp-address", L, AT(tcp_addresses), NULL, "address to listen on; may be repeated (default: 127.0.0.1)"},
    {"MaxConnectionQueueLength", "listen", "queue", N, AT(queue_length), "200", "connections that the kernel keeps waiting"},
    {NULL, "listen", "connections", N, AT(connections_max), "2000", "connections served at once; more wait in the queue"},
    /* requests */
    {"StreamMaxLength", "requests", "stream-max", S, AT(stream_max), "100M", "longest stream accepted; 0: no limit"},
    {NULL, "requests", "spool-from", S, AT(spool_from), "64K", "streams larger than this go to an unlinked file"},
    {NULL, "requests", "spool-max", S, AT(spool_max), "2G", "most bytes of all streams together; 0: no limit"},
    {"MaxThreads", "requests", "workers", N, AT(workers), "0", "workers at once; 0: as many as processors"},
    {"CommandReadTimeout", "requests", "command-timeout", N, AT(command_timeout_s), "30", "seconds for a command to arrive; 0: no limit"},
    {"ReadTimeout", "requests", "read-timeout", N, AT(read_timeout_s), "120", "seconds without a byte of a stream; 0: no limit"},
    {"ExcludePath", "requests", "exclude", L, AT(excludes), NULL, "regular expression of paths not to scan; may be repeated"},
    {"MaxDirectoryRecursion", "requests", "folder-depth", N, AT(folder_depth), "15", "how deep folders are entered; 0: no limit"},
    {"FollowDirectorySymlinks", "requests", "follow-folders", B, AT(follow_folders), "no", "enter folders through symbolic links"},
    {"FollowFileSymlinks", "requests", "follow-files", B, AT(follow_files), "no", "scan files through symbolic links"},
    {"CrossFilesystems", "requests", "cross-file-systems", B, AT(cross_file_systems), "yes", "enter other file systems"},
    {"AllowAllMatchScan", "requests", "all-match", B, AT(all_match), "yes", "permit ALLMATCHSCAN"},
    /* control */
    {"EnableShutdownCommand", "control", "shutdown", B, AT(shutdown), "yes", "permit SHUTDOWN to the users below"},
    {"EnableReloadCommand", "control", "reload", B, AT(reload), "yes", "permit RELOAD to the users below"},
    {"EnableStatsCommand", "control", "stats", B, AT(stats), "yes", "permit STATS to everybody who may connect"},
    {"EnableVersionCommand", "control", "version", B, AT(version), "yes", "permit VERSION to everybody who may connect"},
    {NULL, "control", "allow-user", L, AT(control_users), NULL, "account that may SHUTDOWN and RELOAD besides root and the daemon's own; may be repeated"},
    {NULL, "control", "allow-address", L, AT(tcp_control), NULL, "TCP address that may SHUTDOWN and RELOAD; may be repeated (default: none)"},
    /* limits */
    {"MaxScanSize", "limits", "max-scansize", S, AT(limits.scan_bytes), "4G", "most bytes unpacked from one object; 0: no limit"},
    {"MaxFileSize", "limits", "max-filesize", S, AT(limits.object_bytes), "1G", "largest object unpacked from a container; 0: no limit"},
    {"MaxRecursion", "limits", "max-recursion", N, AT(limits.depth), "17", "deepest nesting of containers; 0: no limit"},
    {"MaxFiles", "limits", "max-files", N, AT(limits.objects), "100000", "most objects unpacked from one; 0: no limit"},
    {NULL, "limits", "max-work", N, AT(limits.work), "200000000", "most work units for one object; 0: no limit"},
    {NULL, "limits", "max-rule-work", N, AT(limits.rule_work), "16384", "steps one rule may cost in one object, besides one for 2 bytes; 0: no limit"},
    {"MaxScanTime", "limits", "max-scantime-ms", HF_SETTING_MS, AT(limits.time_ms), "120000", "give up on an object after so many milliseconds; 0: never"},
    /* verdicts */
    {NULL, "verdicts", "unscannable", HF_SETTING_POLICY, AT(unscannable), "ok", "answer for what could not be looked at completely: ok, error or found"},
    {"AlertExceedsMax", "verdicts", "alert-limits", B, AT(alert_limits), "no", "answer FOUND when a limit was reached"},
    {"AlertEncrypted", "verdicts", "alert-encrypted", B, AT(alert_encrypted), "no", "answer FOUND for what is encrypted"},
    {"VirusEvent", "verdicts", "virus-event", T, AT(virus_event), NULL, "command to run when something is found; %v: its name; CLAM_VIRUSEVENT_FILENAME and _VIRUSNAME are set"},
    /* updates */
    {NULL, "updates", "check", N, AT(update_s), "3600", "ask the trusted publishers for news every so many seconds, a quarter more or less by chance; 0: never"},
    {NULL, "updates", "home", T, AT(update_home), NULL, "folder with trust and content, as of 'holdfast update --home' (default: /etc/holdfast and /var/lib/holdfast)"},
    {NULL, "updates", "fuse", B, AT(update_fuse), "yes", "go back by itself when workers crash or hang with content of less than a day"},
    /* log */
    {"LogFile", "log", "file", T, AT(log_file), NULL, "log file; opened again on SIGHUP"},
    {NULL, "log", "format", T, AT(log_format), "classic", "classic: as clamd writes it; json: an object a line"},
    {"LogTime", "log", "time", B, AT(log_time), "yes", "begin classic lines with the time"},
    {"LogClean", "log", "clean", B, AT(log_clean), "no", "log clean objects too"},
    {"LogVerbose", "log", "verbose", B, AT(log_verbose), "no", "log connections and what is skipped"},
    {"LogFileMaxSize", "log", "max-size", S, AT(log_max), "0", "largest log file; 0: no limit"},
    {"LogRotate", "log", "rotate", B, AT(log_rotate), "no", "rename a log file that is full; else logging ends"},
    {"LogSyslog", "log", "syslog", B, AT(log_syslog), "no", "log to syslog too"},
    {"LogFacility", "log", "facility", T, AT(log_facility), "LOG_LOCAL6", "facility of syslog"},
    {"ExtendedDetectionInfo", "log", "extended", B, AT(log_size), "no", "log the size of what was found with its name"},
    /* metrics */
    {NULL, "metrics", "listen", L, AT(metrics), NULL, "unix socket (a path) or loopback port for `holdfast status` and Prometheus; may be repeated"},
    /* clamd.conf only */
    {"Foreground", NULL, NULL, B, NOWHERE, NULL, "holdfastd always stays in the foreground"},
    {"SendBufTimeout", NULL, NULL, N, NOWHERE, NULL, "a client that does not read delays nobody"},
    {"MaxQueue", NULL, NULL, N, NOWHERE, NULL, "requests wait without a limit of their own; see [listen] connections"},
    {"IdleTimeout", NULL, NULL, N, NOWHERE, NULL, "there are no idle threads"},
    {"LogFileUnlock", NULL, NULL, B, NOWHERE, NULL, "the log file is not locked"},
    {"StreamMinPort", NULL, NULL, N, NOWHERE, NULL, OBSOLETE}, {"StreamMaxPort", NULL, NULL, N, NOWHERE, NULL, OBSOLETE},
    {"ConcurrentDatabaseReload", NULL, NULL, B, NOWHERE, NULL, ALWAYS ", and without a second copy in memory"},
    {"OfficialDatabaseOnly", NULL, NULL, B, NOWHERE, NULL, CONTENT}, {"FailIfCvdOlderThan", NULL, NULL, N, NOWHERE, NULL, CONTENT},
    {"CacheSize", NULL, NULL, N, NOWHERE, NULL, NEVER}, {"DisableCache", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"PreludeEnable", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"PreludeAnalyzerName", NULL, NULL, T, NOWHERE, NULL, NEVER},
    {"ExitOnOOM", NULL, NULL, B, NOWHERE, NULL, "processes that run out of memory are replaced"},
    {"Debug", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"LeaveTemporaryFiles", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"GenerateMetadataJson", NULL, NULL, B, NOWHERE, NULL, "'holdfast inspect' shows it"}, {"ForceToDisk", NULL, NULL, B, NOWHERE, NULL, OWN_WAY},
    {"Bytecode", NULL, NULL, B, NOWHERE, NULL, CONTENT}, {"BytecodeSecurity", NULL, NULL, T, NOWHERE, NULL, CONTENT}, {"BytecodeTimeout", NULL, NULL, N, NOWHERE, NULL, ENGINE},
    {"BytecodeUnsigned", NULL, NULL, B, NOWHERE, NULL, CONTENT}, {"BytecodeMode", NULL, NULL, T, NOWHERE, NULL, OWN_WAY},
    {"ScanPE", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanELF", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanMail", NULL, NULL, B, NOWHERE, NULL, ALWAYS},
    {"ScanPartialMessages", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"PhishingSignatures", NULL, NULL, B, NOWHERE, NULL, CONTENT}, {"PhishingScanURLs", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"HeuristicAlerts", NULL, NULL, B, NOWHERE, NULL, OWN_WAY}, {"HeuristicScanPrecedence", NULL, NULL, B, NOWHERE, NULL, OWN_WAY},
    {"StructuredDataDetection", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"StructuredMinCreditCardCount", NULL, NULL, N, NOWHERE, NULL, NEVER},
    {"StructuredMinSSNCount", NULL, NULL, N, NOWHERE, NULL, NEVER}, {"StructuredSSNFormatNormal", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"StructuredSSNFormatStripped", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"StructuredCCOnly", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"ScanHTML", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanOLE2", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanPDF", NULL, NULL, B, NOWHERE, NULL, ALWAYS},
    {"ScanSWF", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanXMLDOCS", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanHWP3", NULL, NULL, B, NOWHERE, NULL, ALWAYS},
    {"ScanOneNote", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanArchive", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanImage", NULL, NULL, B, NOWHERE, NULL, ALWAYS},
    {"ScanImageFuzzyHash", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"AlertBrokenExecutables", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"AlertBrokenMedia", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"AlertEncryptedArchive", NULL, NULL, B, AT(alert_encrypted), NULL, NULL}, {"AlertEncryptedDoc", NULL, NULL, B, AT(alert_encrypted), NULL, NULL},
    {"AlertOLE2Macros", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"AlertPhishingSSLMismatch", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"AlertPhishingCloak", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"AlertPartitionIntersection", NULL, NULL, B, NOWHERE, NULL, NEVER},
    {"MaxEmbeddedPE", NULL, NULL, S, NOWHERE, NULL, ENGINE}, {"MaxHTMLNormalize", NULL, NULL, S, NOWHERE, NULL, ENGINE}, {"MaxHTMLNoTags", NULL, NULL, S, NOWHERE, NULL, ENGINE},
    {"MaxScriptNormalize", NULL, NULL, S, NOWHERE, NULL, ENGINE}, {"MaxZipTypeRcg", NULL, NULL, S, NOWHERE, NULL, ENGINE}, {"MaxPartitions", NULL, NULL, N, NOWHERE, NULL, ENGINE},
    {"MaxIconsPE", NULL, NULL, N, NOWHERE, NULL, ENGINE}, {"MaxRecHWP3", NULL, NULL, N, NOWHERE, NULL, ENGINE}, {"PCREMatchLimit", NULL, NULL, N, NOWHERE, NULL, ENGINE},
    {"PCRERecMatchLimit", NULL, NULL, N, NOWHERE, NULL, ENGINE}, {"PCREMaxFileSize", NULL, NULL, S, NOWHERE, NULL, ENGINE},
    {"OnAccessMountPath", NULL, NULL, L, NOWHERE, NULL, LATER}, {"OnAccessIncludePath", NULL, NULL, L, NOWHERE, NULL, LATER}, {"OnAccessExcludePath", NULL, NULL, L, NOWHERE, NULL, LATER},
    {"OnAccessExcludeRootUID", NULL, NULL, B, NOWHERE, NULL, LATER}, {"OnAccessExcludeUID", NULL, NULL, L, NOWHERE, NULL, LATER}, {"OnAccessExcludeUname", NULL, NULL, L, NOWHERE, NULL, LATER},
    {"OnAccessMaxFileSize", NULL, NULL, S, NOWHERE, NULL, LATER}, {"OnAccessDisableDDD", NULL, NULL, B, NOWHERE, NULL, LATER}, {"OnAccessPrevention", NULL, NULL, B, NOWHERE, NULL, LATER},
    {"OnAccessExtraScanning", NULL, NULL, B, NOWHERE, NULL, LATER}, {"OnAccessCurlTimeout", NULL, NULL, T, NOWHERE, NULL, LATER}, {"OnAccessMaxThreads", NULL, NULL, N, NOWHERE, NULL, LATER},
    {"OnAccessRetryAttempts", NULL, NULL, N, NOWHERE, NULL, LATER}, {"OnAccessDenyOnError", NULL, NULL, B, NOWHERE, NULL, LATER},
    {"DisableCertCheck", NULL, NULL, B, NOWHERE, NULL, CONTENT}, {"DevACOnly", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"DevACDepth", NULL, NULL, N, NOWHERE, NULL, NEVER},
    {"DevPerformance", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"DevLiblog", NULL, NULL, B, NOWHERE, NULL, NEVER}, {"StatsEnabled", NULL, NULL, B, NOWHERE, NULL, OBSOLETE},
    {"StatsPEDisabled", NULL, NULL, B, NOWHERE, NULL, OBSOLETE}, {"StatsHostID", NULL, NULL, T, NOWHERE, NULL, OBSOLETE}, {"StatsTimeout", NULL, NULL, N, NOWHERE, NULL, OBSOLETE},
    {"AlgorithmicDetection", NULL, NULL, B, NOWHERE, NULL, NO_MORE}, {"BlockMax", NULL, NULL, B, AT(alert_limits), NULL, NULL}, {"ArchiveBlockEncrypted", NULL, NULL, B, AT(alert_encrypted), NULL, NULL},
    {"PhishingAlwaysBlockSSLMismatch", NULL, NULL, B, NOWHERE, NULL, NO_MORE}, {"PhishingAlwaysBlockCloak", NULL, NULL, B, NOWHERE, NULL, NO_MORE},
    {"PartitionIntersection", NULL, NULL, B, NOWHERE, NULL, NO_MORE}, {"OLE2BlockMacros", NULL, NULL, B, NOWHERE, NULL, NO_MORE}, {"DetectBrokenExecutables", NULL, NULL, B, NOWHERE, NULL, NO_MORE},
    {"AllowSupplementaryGroups", NULL, NULL, B, NOWHERE, NULL, ALWAYS}, {"ScanOnAccess", NULL, NULL, B, NOWHERE, NULL, LATER}, {"MailFollowURLs", NULL, NULL, B, NOWHERE, NULL, OBSOLETE},
    {"ArchiveMaxFileSize", NULL, NULL, S, NOWHERE, NULL, OBSOLETE}, {"ArchiveMaxRecursion", NULL, NULL, N, NOWHERE, NULL, OBSOLETE}, {"ArchiveMaxFiles", NULL, NULL, N, NOWHERE, NULL, OBSOLETE},
    {"ArchiveMaxCompressionRatio", NULL, NULL, N, NOWHERE, NULL, OBSOLETE}, {"ArchiveBlockMax", NULL, NULL, B, NOWHERE, NULL, OBSOLETE}, {"ArchiveLimitMemoryUsage", NULL, NULL, B, NOWHERE, NULL, OBSOLETE},
    {"MailMaxRecursion", NULL, NULL, N, NOWHERE, NULL, OBSOLETE}, {"ClamukoScanOnAccess", NULL, NULL, B, NOWHERE, NULL, OBSOLETE}, {"ClamukoScannerCount", NULL, NULL, N, NOWHERE, NULL, OBSOLETE},
    {"ClamukoMaxFileSize", NULL, NULL, S, NOWHERE, NULL, OBSOLETE}, {"ClamukoScanOnOpen", NULL, NULL, B, NOWHERE, NULL, OBSOLETE}, {"ClamukoScanOnClose", NULL, NULL, B, NOWHERE, NULL, OBSOLETE},
    {"ClamukoScanOnExec", NULL, NULL, B, NOWHERE, NULL, OBSOLETE}, {"ClamukoIncludePath", NULL, NULL, L, NOWHERE, NULL, OBSOLETE}, {"ClamukoExcludePath", NULL, NULL, L, NOWHERE, NULL, OBSOLETE},
    {"ClamukoExcludeUID", NULL, NULL, L, NOWHERE, NULL, OBSOLETE},
};
/* clang-format on */
const size_t hf_setting_count = sizeof hf_settings / sizeof *hf_settings;

static void *field_of(struct hf_config *config, const struct hf_setting *row)
{
    return (uint8_t *)config + row->offset;
}

/* yes, true, 1, no, false, 0, in any case. [clamd.conf(5)] */
static bool parse_bool(const char *value, bool *out)
{
    static const struct {
        const char *word;
        bool is;
    } words[] = {{"yes", true}, {"true", true},   {"1", true},  {"on", true},
                 {"no", false}, {"false", false}, {"0", false}, {"off", false}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].word, value) == 0) {
            *out = words[i].is;
            return true;
        }
    return false;
}

static bool parse_policy(const char *value, uint64_t *out)
{
    static const char *const words[] = {
        [HF_POLICY_OK] = "ok", [HF_POLICY_ERROR] = "error", [HF_POLICY_FOUND] = "found"};
    for (uint64_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool parse_mode(const char *value, uint64_t *out)
{
    char *end;
    unsigned long v = strtoul(value, &end, 8);
    *out = v;
    return value[0] >= '0' && value[0] <= '7' && *end == 0 && v <= 0777;
}

static enum hf_status set_text(char **field, const char *value)
{
    char *copy = strdup(value);
    if (copy == NULL)
        return HF_NOMEM;
    free(*field);
    *field = copy;
    return HF_OK;
}

enum hf_status hf_config_set(struct hf_config *config, const struct hf_setting *row,
                             const char *value)
{
    struct hf_bytes bytes = hf_bytes_text(value);
    bool good = true, flag;
    uint64_t number;
    void *field = row->offset == NOWHERE ? NULL : field_of(config, row);
    switch (row->kind) {
    case HF_SETTING_BOOL:
        good = parse_bool(value, &flag);
        if (good && field != NULL)
            *(bool *)field = flag;
        break;
    case HF_SETTING_NUMBER:
    case HF_SETTING_MS:
        if (value[0] == '-' && field == NULL)
            break; /* FailIfCvdOlderThan -1 */
        good = hf_parse_uint(bytes, &number);
        if (good && field != NULL)
            *(uint64_t *)field = number;
        break;
    case HF_SETTING_SIZE:
        good = hf_parse_size(bytes, &number);
        if (good && field != NULL)
            *(uint64_t *)field = number;
        break;
    case HF_SETTING_MODE:
        good = parse_mode(value, &number);
        if (good && field != NULL)
            *(uint64_t *)field = number;
        break;
    case HF_SETTING_POLICY:
        good = parse_policy(value, &number);
        if (good && field != NULL)
            *(uint64_t *)field = number;
        break;
    case HF_SETTING_TEXT:
        if (field != NULL)
            return set_text(field, value);
        break;
    case HF_SETTING_LIST: {
        struct hf_text_list *list = field;
        if (list == NULL)
            break;
        if (list->count == HF_CONFIG_LIST_MAX)
            return HF_INVALID;
        enum hf_status st = set_text(&list->items[list->count], value);
        list->count += st == HF_OK;
        return st;
    }
    }
    return good ? HF_OK : HF_INVALID;
}

enum hf_status hf_config_init(struct hf_config *config)
{
    *config = (struct hf_config){0};
    for (size_t i = 0; i < hf_setting_count; i++)
        if (hf_settings[i].initial != NULL && hf_settings[i].offset != NOWHERE) {
            enum hf_status st =
                hf_config_set(config, &hf_settings[i], hf_settings[i].initial);
            if (st != HF_OK)
                return st;
        }
    return HF_OK;
}

void hf_config_done(struct hf_config *config)
{
    for (size_t i = 0; i < hf_setting_count; i++) {
        const struct hf_setting *row = &hf_settings[i];
        if (row->offset == NOWHERE)
            continue;
        if (row->kind == HF_SETTING_TEXT) {
            char **text = field_of(config, row);
            free(*text);
            *text = NULL;
        } else if (row->kind == HF_SETTING_LIST) {
            struct hf_text_list *list = field_of(config, row);
            for (size_t j = 0; j < list->count; j++)
                free(list->items[j]);
            *list = (struct hf_text_list){0};
        }
    }
}

/* The number of letters to change, add or drop, at most 3. */
static unsigned distance(const char *a, const char *b)
{
    enum { MOST = 40 };
    size_t n = strlen(a), m = strlen(b);
    unsigned row[MOST + 1];
    if (n > MOST || m > MOST)
        return 99;
    for (unsigned j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        unsigned left_up = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned same = left_up + ((a[i - 1] | 32) != (b[j - 1] | 32));
            left_up = row[j];
            unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = same < other ? same : other;
        }
    }
    return row[m];
}

const char *hf_config_nearest(const char *name, bool clamd)
{
    const char *best = NULL;
    unsigned least = 4;
    for (size_t i = 0; i < hf_setting_count; i++) {
        const char *other = clamd ? hf_settings[i].clamd : hf_settings[i].key;
        unsigned d = other != NULL ? distance(name, other) : 99;
        if (d < least) {
            least = d;
            best = other;
        }
    }
    return best;
}

static bool is_number_or_user(const char *name)
{
    uint64_t n;
    return hf_parse_uint(hf_bytes_text(name), &n) || getpwnam(name) != NULL;
}

static bool check_regexes(const struct hf_config *config, struct hf_buffer *error)
{
    for (size_t i = 0; i < config->excludes.count; i++) {
        regex_t compiled;
        int failed =
            regcomp(&compiled, config->excludes.items[i], REG_EXTENDED | REG_NOSUB);
        if (failed != 0) {
            char text[128];
            regerror(failed, &compiled, text, sizeof text);
            hf_buffer_format(error, "exclude: '%s': %s", config->excludes.items[i], text);
            return false;
        }
        regfree(&compiled);
    }
    return true;
}

enum hf_status hf_config_check(const struct hf_config *config, struct hf_buffer *error)
{
    size_t before = error->len;
    if (config->tcp_port > 65535)
        hf_buffer_text(error, "the TCP port is larger than 65535");
    else if (config->user != NULL && getpwnam(config->user) == NULL)
        hf_buffer_format(error, "there is no user '%s'", config->user);
    else if (strcmp(config->log_format, "classic") != 0 &&
             strcmp(config->log_format, "json") != 0)
        hf_buffer_format(error, "log format '%s' is neither classic nor json",
                         config->log_format);
    else if (config->unix_path != NULL && strlen(config->unix_path) > 107)
        hf_buffer_text(error, "the path of the unix socket is longer than 107 bytes");
    else if (config->pua && config->pua_exclude.count > 0 && config->pua_include.count > 0)
        hf_buffer_text(
            error, "kinds of unwanted programs are either included or excluded, not both");
    else if (config->log_file != NULL && config->log_file[0] != '/')
        hf_buffer_text(error, "the log file needs a full path");
    for (size_t i = 0; error->len == before && i < config->control_users.count; i++)
        if (!is_number_or_user(config->control_users.items[i]))
            hf_buffer_format(error, "there is no user '%s'",
                             config->control_users.items[i]);
    if (error->len == before)
        (void)check_regexes(config, error);
    return error->len == before ? HF_OK : HF_INVALID;
}

void hf_config_write_example(struct hf_buffer *out)
{
    hf_buffer_text(
        out, "# holdfast.conf - configuration of holdfastd. Every setting is shown with "
             "its default;\n# 'holdfast config check' says what is wrong.\n");
    const char *section = "";
    for (size_t i = 0; i < hf_setting_count; i++) {
        const struct hf_setting *row = &hf_settings[i];
        if (row->section == NULL)
            continue;
        if (strcmp(section, row->section) != 0)
            hf_buffer_format(out, "\n[%s]\n", row->section);
        section = row->section;
        hf_buffer_format(out, "# %s", row->help);
        if (row->clamd != NULL)
            hf_buffer_format(out, " (clamd.conf: %s)", row->clamd);
        hf_buffer_format(out, "\n#%s =%s%s\n", row->key, row->initial != NULL ? " " : "",
                         row->initial != NULL ? row->initial : "");
    }
}
