/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What differs between two configurations, key by key.  Objects are matched by name, so that the
 * order of sections means nothing here either.  What merely follows from another key is left out:
 * people want to read about what they changed. */
#include <string.h>

#include "config/config.h"
#include "config/value_private.h"

struct comparison {
    mt_config_difference *tell;
    void *context;
    struct mt_config_change change;
};

static bool is_same_list(const struct mt_config_identities *a, const struct mt_config_identities *b)
{
    for (size_t i = 0; a->count == b->count && i < a->count; i++) {
        char one[40];
        char other[40];
        mt_config_identity_write(&a->identity[i], one, sizeof one);
        mt_config_identity_write(&b->identity[i], other, sizeof other);
        if (strcmp(one, other) != 0) {
            return false;
        }
    }
    return a->count == b->count;
}

/* The text of a long list may be cut: the list itself is compared. */
static bool is_same(const struct mt_config_key *key, const void *a, const void *b, const char *one,
                    const char *other)
{
    if (key->type == MT_CONFIG_STATIONS) {
        return mt_config_stations_equal((const char *)a + key->offset,
                                        (const char *)b + key->offset);
    }
    if (key->type != MT_CONFIG_IDENTITIES) {
        return strcmp(one, other) == 0;
    }
    struct mt_config_identities lists[2];
    memcpy(&lists[0], (const char *)a + key->offset, sizeof lists[0]);
    memcpy(&lists[1], (const char *)b + key->offset, sizeof lists[1]);
    return is_same_list(&lists[0], &lists[1]);
}

static void compare_key(struct comparison *self, const struct mt_config_key *key, const void *a,
                        const void *b)
{
    char one[MT_CONFIG_PATH_MAX + 1];
    char other[MT_CONFIG_PATH_MAX + 1];
    mt_config_value_write(key, a, one, sizeof one);
    mt_config_value_write(key, b, other, sizeof other);
    if (!is_same(key, a, b, one, other)) {
        self->change.kind = MT_CONFIG_CHANGED;
        self->change.key = key;
        self->change.before = one;
        self->change.after = other;
        self->tell(self->context, &self->change);
    }
}

static void compare_scope(struct comparison *self, enum mt_config_scope scope, const char *but,
                          const void *a, const void *b)
{
    size_t count;
    const struct mt_config_key *keys = mt_config_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].scope == scope && strcmp(keys[i].name, but) != 0) {
            compare_key(self, &keys[i], a, b);
        }
    }
}

/* ---- objects ------------------------------------------------------------------------------ */

static bool is_auto_socket(const struct mt_config_daemon *daemon)
{
    size_t length = strlen(daemon->run_directory);
    return strncmp(daemon->control_socket, daemon->run_directory, length) == 0 &&
           strcmp(daemon->control_socket + length, "/control") == 0;
}

static void compare_daemon(struct comparison *self, const struct mt_config_daemon *a,
                           const struct mt_config_daemon *b)
{
    bool socket_follows = is_auto_socket(a) && is_auto_socket(b);
    compare_scope(self, MT_CONFIG_DAEMON, socket_follows ? "control_socket" : "", a, b);
}

static void compare_instance(struct comparison *self, const void *a, const void *b)
{
    const struct mt_config_instance *one = a;
    const struct mt_config_instance *other = b;
    bool class_follows = one->ptp.is_receiver_only != other->ptp.is_receiver_only;
    compare_scope(self, MT_CONFIG_INSTANCE, class_follows ? "clock_class" : "", a, b);
}

static void compare_clock(struct comparison *self, const void *a, const void *b)
{
    compare_scope(self, MT_CONFIG_CLOCK, "", a, b);
}

static void compare_refclock(struct comparison *self, const void *a, const void *b)
{
    const struct mt_config_refclock *one = a;
    bool is_gnss = one->driver == MT_CONFIG_REFCLOCK_GNSS;
    compare_scope(self, is_gnss ? MT_CONFIG_GNSS : MT_CONFIG_REFCLOCK, "", a, b);
}

static void compare_export(struct comparison *self, const void *a, const void *b)
{
    compare_scope(self, MT_CONFIG_EXPORT, "", a, b);
}

static void compare_port(struct comparison *self, const void *a, const void *b)
{
    compare_scope(self, MT_CONFIG_OWN_PORT, "", a, b);
    compare_scope(self, MT_CONFIG_PORT, "", a, b);
}

static void compare_ntp(struct comparison *self, const void *a, const void *b)
{
    compare_scope(self, MT_CONFIG_NTP, "", a, b);
}

/* An array of objects whose names are found in the same place. */
struct objects {
    const char *section;
    const void *first;
    size_t count;
    size_t size;
    size_t name_offset;
    void (*compare)(struct comparison *self, const void *a, const void *b);
};

static const void *object_at(const struct objects *self, size_t index)
{
    return (const char *)self->first + index * self->size;
}

static const char *name_at(const struct objects *self, size_t index)
{
    const char *name;
    memcpy(&name, (const char *)object_at(self, index) + self->name_offset, sizeof name);
    return name;
}

static size_t find(const struct objects *self, const char *name)
{
    size_t index = 0;
    while (index < self->count && strcmp(name_at(self, index), name) != 0) {
        index++;
    }
    return index;
}

/* GNSS receivers are a kind of reference clock with a heading of its own. */
static const char *section_at(const struct objects *self, size_t index)
{
    const struct mt_config_refclock *refclock = object_at(self, index);
    bool is_refclock = strcmp(self->section, "refclock") == 0;
    return is_refclock && refclock->driver == MT_CONFIG_REFCLOCK_GNSS ? "gnss" : self->section;
}

static void tell_whole(struct comparison *self, enum mt_config_change_kind kind)
{
    self->change.kind = kind;
    self->change.key = NULL;
    self->change.before = "";
    self->change.after = "";
    self->tell(self->context, &self->change);
}

static void compare_objects(struct comparison *self, const struct objects *a,
                            const struct objects *b)
{
    for (size_t i = 0; i < a->count; i++) {
        size_t other = find(b, name_at(a, i));
        self->change.section = section_at(a, i);
        self->change.name = name_at(a, i);
        self->change.index = i;
        if (other == b->count) {
            tell_whole(self, MT_CONFIG_REMOVED);
        } else {
            a->compare(self, object_at(a, i), object_at(b, other));
        }
    }
    for (size_t i = 0; i < b->count; i++) {
        self->change.section = section_at(b, i);
        self->change.name = name_at(b, i);
        self->change.index = i;
        if (find(a, name_at(b, i)) == a->count) {
            tell_whole(self, MT_CONFIG_ADDED);
        }
    }
}

static void compare_server(struct comparison *self, const struct mt_config *before,
                           const struct mt_config *after)
{
    self->change.section = "server";
    self->change.name = "";
    self->change.index = 0;
    if (before->has_server != after->has_server) {
        tell_whole(self, after->has_server ? MT_CONFIG_ADDED : MT_CONFIG_REMOVED);
    } else if (after->has_server) {
        compare_scope(self, MT_CONFIG_SERVER, "", &before->server, &after->server);
    }
}

#define OBJECTS(section, type, config, compare)                                                    \
    &(struct objects)                                                                              \
    {                                                                                              \
#section, (config)->section##s, (config)->section##_count, sizeof(struct type),            \
            offsetof(struct type, name), compare                                                   \
    }

void mt_config_compare(const struct mt_config *before, const struct mt_config *after,
                       mt_config_difference *tell, void *context)
{
    struct comparison self = {.tell = tell, .context = context};
    self.change.section = "daemon";
    self.change.name = "";
    compare_daemon(&self, &before->daemon, &after->daemon);
    compare_objects(&self, OBJECTS(clock, mt_config_clock, before, compare_clock),
                    OBJECTS(clock, mt_config_clock, after, compare_clock));
    compare_objects(&self, OBJECTS(instance, mt_config_instance, before, compare_instance),
                    OBJECTS(instance, mt_config_instance, after, compare_instance));
    compare_objects(&self, OBJECTS(port, mt_config_port, before, compare_port),
                    OBJECTS(port, mt_config_port, after, compare_port));
    compare_server(&self, before, after);
    compare_objects(&self, OBJECTS(ntp, mt_config_ntp, before, compare_ntp),
                    OBJECTS(ntp, mt_config_ntp, after, compare_ntp));
    compare_objects(&self, OBJECTS(refclock, mt_config_refclock, before, compare_refclock),
                    OBJECTS(refclock, mt_config_refclock, after, compare_refclock));
    compare_objects(&self, OBJECTS(export, mt_config_export, before, compare_export),
                    OBJECTS(export, mt_config_export, after, compare_export));
}
