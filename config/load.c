/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The way of a configuration: text -> sections and settings (source.c) -> objects (resolve.c) ->
 * contradictions (check.c).  All three run even if an earlier one found problems, so that one
 * look at the list is enough; the result is handed out only if there were none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/source_private.h"
#include "config/value_private.h"

#define FILE_SIZE_MAX (1 << 20)

static void add_interfaces(struct mt_config_source *source, const char *const *interfaces,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!mt_config_is_interface(interfaces[i])) {
            mt_config_problem_add(source->problems, NULL, 0,
                                  "%s: expected the name of an interface, at most %d characters",
                                  interfaces[i], MT_CONFIG_INTERFACE_MAX);
        } else if (mt_config_source_find_section(source, MT_CONFIG_SECTION_PORT, interfaces[i]) ==
                   NULL) {
            mt_config_source_section(source, MT_CONFIG_SECTION_PTP_PORT, interfaces[i], 0);
        }
    }
}

static bool finish(struct mt_config_source *source, struct mt_config **ret_config,
                   struct mt_config_problems *problems)
{
    struct mt_config *config = calloc(1, sizeof *config);
    if (config == NULL) {
        mt_config_problem_add(problems, source->path, 0, "out of memory");
    }
    if (config != NULL && source->path != NULL) {
        config->path = mt_config_pool_text(&config->pool, source->path);
    }
    if (config != NULL && mt_config_resolve(config, source)) {
        mt_config_check(config, source);
    }
    mt_config_source_free(source);
    if (problems->count > 0) {
        mt_config_free(config);
        return false;
    }
    *ret_config = config;
    return true;
}

static bool parse(const char *text, size_t length, struct mt_config_source source,
                  const char *const *interfaces, size_t count, struct mt_config **ret_config,
                  struct mt_config_problems *problems)
{
    problems->count = 0;
    problems->omitted = 0;
    mt_config_source_read(&source, text, length);
    add_interfaces(&source, interfaces, count);
    return finish(&source, ret_config, problems);
}

bool mt_config_parse(const char *text, size_t length, const char *path,
                     const char *const *interfaces, size_t count, struct mt_config **ret_config,
                     struct mt_config_problems *problems)
{
    const struct mt_config_source source = {.path = path, .problems = problems};
    return parse(text, length, source, interfaces, count, ret_config, problems);
}

bool mt_config_parse_all(const char *text, size_t length, const char *path,
                         const struct mt_config_inspector *inspector, struct mt_config **ret_config,
                         struct mt_config_problems *problems)
{
    const struct mt_config_source source = {
        .path = path, .problems = problems, .reads_files = true, .inspector = inspector};
    return parse(text, length, source, NULL, 0, ret_config, problems);
}

bool mt_config_for_interfaces(const char *const *interfaces, size_t count,
                              struct mt_config **ret_config, struct mt_config_problems *problems)
{
    static const char text[] = "[ptp]\npriority1 = 254\n";
    return mt_config_parse(text, sizeof text - 1, NULL, interfaces, count, ret_config, problems);
}

char *mt_config_read_file(const char *path, size_t *ret_length)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    char *text = malloc(FILE_SIZE_MAX);
    size_t length = text == NULL ? 0 : fread(text, 1, FILE_SIZE_MAX, file);
    int error = ferror(file) != 0 ? errno : length == FILE_SIZE_MAX ? EFBIG : 0;
    fclose(file);
    if (text != NULL && error != 0) {
        free(text);
        errno = error;
        return NULL;
    }
    *ret_length = length;
    return text;
}

void mt_config_forget(void *secret, size_t length)
{
    volatile char *octet = secret;
    while (length-- > 0) {
        *octet++ = 0;
    }
}

static bool is_private(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IRWXO) == 0;
}

char *mt_config_read_secret(const char *path, size_t *ret_length, bool *ret_is_private,
                            struct mt_config_problems *problems)
{
    char *text = mt_config_read_file(path, ret_length);
    if (text == NULL) {
        mt_config_problem_add(problems, path, 0, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    *ret_is_private = is_private(path);
    if (!*ret_is_private) {
        mt_config_problem_add(problems, path, 0,
                              "everybody may read these keys; take that away: chmod o= %s", path);
    }
    return text;
}

char *mt_config_read_first(const char *path, size_t *ret_length,
                           struct mt_config_problems *problems)
{
    char *text = mt_config_read_file(path, ret_length);
    if (text == NULL) {
        problems->count = 0;
        problems->omitted = 0;
        mt_config_problem_add(problems, path, 0, "cannot be read: %s", strerror(errno));
    }
    return text;
}

bool mt_config_load_with(const char *path, const char *const *interfaces, size_t count,
                         struct mt_config **ret_config, struct mt_config_problems *problems)
{
    size_t length;
    char *text = mt_config_read_first(path, &length, problems);
    if (text == NULL) {
        return false;
    }
    bool is_good = mt_config_parse(text, length, path, interfaces, count, ret_config, problems);
    free(text);
    return is_good;
}

bool mt_config_load(const char *path, struct mt_config **ret_config,
                    struct mt_config_problems *problems)
{
    return mt_config_load_with(path, NULL, 0, ret_config, problems);
}

bool mt_config_load_all(const char *path, const struct mt_config_inspector *inspector,
                        struct mt_config **ret_config, struct mt_config_problems *problems)
{
    size_t length;
    char *text = mt_config_read_first(path, &length, problems);
    if (text == NULL) {
        return false;
    }
    bool is_good = mt_config_parse_all(text, length, path, inspector, ret_config, problems);
    free(text);
    return is_good;
}

void mt_config_free(struct mt_config *self)
{
    if (self == NULL) {
        return;
    }
    struct mt_config_pool pool = self->pool;
    mt_config_pool_free(&pool);
    free(self);
}

/* ---- write -------------------------------------------------------------------------------- */

/* Keys that would be contradictions if they were written. */
static bool is_out_of_place(const struct mt_config_key *key, const void *object)
{
    const struct mt_config_clock *clock = object;
    return (mt_config_is_lab_key(key) && clock->kind != MT_CONFIG_CLOCK_LAB) ||
           (mt_config_is_device_key(key) && !mt_config_is_phc(clock)) ||
           (mt_config_is_system_key(key) && clock->kind != MT_CONFIG_CLOCK_SYSTEM) ||
           (mt_config_is_ip_key(key) &&
            ((const struct mt_config_port *)object)->transport == MT_CONFIG_TRANSPORT_L2);
}

static void write_keys(FILE *out, enum mt_config_scope scope, const void *object)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        char text[MT_CONFIG_PATH_MAX + 1];
        if (keys[i].scope != scope || is_out_of_place(&keys[i], object)) {
            continue;
        }
        mt_config_value_write(&keys[i], object, text, sizeof text);
        fprintf(out, "%s = %s\n", keys[i].name, text);
    }
}

static void write_first(struct mt_config_stations *list)
{
    list->count = list->count > 0 ? 1 : 0;
}

static void write_others(FILE *out, const char *key, const struct mt_config_stations *list)
{
    for (size_t i = 1; i < list->count; i++) {
        fprintf(out, "%s = %s\n", key, list->station[i].text);
    }
}

/* A list may be longer than a line: one element a line. */
static void write_port(FILE *out, const struct mt_config_port *port)
{
    struct mt_config_port shown = *port;
    fprintf(out, "\n[port %s]\n", port->name);
    write_keys(out, MT_CONFIG_OWN_PORT, port);
    if (port->acceptable.count > 0) {
        shown.acceptable.count = 1;
    }
    write_first(&shown.unicast.transmitters);
    write_first(&shown.unicast.allowed);
    write_first(&shown.unicast.receivers);
    write_keys(out, MT_CONFIG_PORT, &shown);
    write_others(out, "unicast_transmitters", &port->unicast.transmitters);
    write_others(out, "unicast_allow", &port->unicast.allowed);
    write_others(out, "unicast_receivers", &port->unicast.receivers);
    for (size_t i = 1; i < port->acceptable.count; i++) {
        char text[32];
        mt_config_identity_write(&port->acceptable.identity[i], text, sizeof text);
        fprintf(out, "acceptable_transmitters = %s\n", text);
    }
}

static void write_server(FILE *out, const struct mt_config_server *server)
{
    struct mt_config_server shown = *server;
    fprintf(out, "\n[server]\n");
    write_first(&shown.listen);
    write_first(&shown.allowed);
    write_first(&shown.denied);
    write_keys(out, MT_CONFIG_SERVER, &shown);
    write_others(out, "listen", &server->listen);
    write_others(out, "allow", &server->allowed);
    write_others(out, "deny", &server->denied);
}

void mt_config_write(const struct mt_config *self, FILE *out)
{
    fprintf(out, "[daemon]\n");
    write_keys(out, MT_CONFIG_DAEMON, &self->daemon);
    for (size_t i = 0; i < self->clock_count; i++) {
        fprintf(out, "\n[clock %s]\n", self->clocks[i].name);
        write_keys(out, MT_CONFIG_CLOCK, &self->clocks[i]);
    }
    for (size_t i = 0; i < self->instance_count; i++) {
        fprintf(out, "\n[instance %s]\n", self->instances[i].name);
        write_keys(out, MT_CONFIG_INSTANCE, &self->instances[i]);
    }
    for (size_t i = 0; i < self->port_count; i++) {
        write_port(out, &self->ports[i]);
    }
    if (self->has_server) {
        write_server(out, &self->server);
    }
    if (self->has_ntp_defaults) {
        fprintf(out, "\n[ntp]\n");
        write_keys(out, MT_CONFIG_NTP, &self->ntp_defaults);
    }
    for (size_t i = 0; i < self->ntp_count; i++) {
        fprintf(out, "\n[ntp %s]\n", self->ntps[i].name);
        write_keys(out, MT_CONFIG_NTP, &self->ntps[i]);
    }
    for (size_t i = 0; i < self->refclock_count; i++) {
        bool is_gnss = self->refclocks[i].driver == MT_CONFIG_REFCLOCK_GNSS;
        fprintf(out, "\n[%s %s]\n", is_gnss ? "gnss" : "refclock", self->refclocks[i].name);
        write_keys(out, is_gnss ? MT_CONFIG_GNSS : MT_CONFIG_REFCLOCK, &self->refclocks[i]);
    }
    for (size_t i = 0; i < self->export_count; i++) {
        fprintf(out, "\n[export %s]\n", self->exports[i].name);
        write_keys(out, MT_CONFIG_EXPORT, &self->exports[i]);
    }
}
