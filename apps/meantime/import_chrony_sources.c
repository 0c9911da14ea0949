/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sources of chrony.conf with their options: server and pool become [ntp NAME], refclock becomes
 * [refclock NAME]. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"

#include "apps/meantime/import.h"

struct option {
    const char *name;
    unsigned arguments;
    const char *key;  /* null: `text` says why there is none */
    const char *text; /* the value, if it takes no argument */
    bool is_lost;
};

static const struct option source_options[] = {
    {"minpoll", 1, "min_poll", NULL, false},
    {"maxpoll", 1, "max_poll", NULL, false},
    {"xleave", 0, "interleaved", "yes", false},
    {"key", 1, "key", NULL, false},
    {"nts", 0, "nts", "yes", false},
    {"ntsport", 1, "nts_port", NULL, false},
    {"port", 1, "port", NULL, false},
    {"version", 1, "version", NULL, false},
    {"maxsources", 1, "count", NULL, false},
    {"prefer", 0, "prefer", "yes", false},
    {"trust", 0, "trust", "yes", false},
    {"require", 0, "require", "yes", false},
    {"noselect", 0, "select", "no", false},
#define NEEDLESS(name, text)
#define LOST(name, text)
#define NEEDLESS_OPTION(name, arguments, text) {name, arguments, NULL, text, false},
#define LOST_OPTION(name, arguments, text)     {name, arguments, NULL, text, true},
#include "apps/meantime/import_chrony.def"
#undef NEEDLESS
#undef LOST
#undef NEEDLESS_OPTION
#undef LOST_OPTION
};

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < sizeof source_options / sizeof source_options[0]; i++) {
        if (strcasecmp(source_options[i].name, name) == 0) {
            return &source_options[i];
        }
    }
    return NULL;
}

/* Returns how many arguments it has taken. */
static size_t take_option(struct mt_import *self, char **words, size_t left)
{
    const struct option *option = find_option(words[0]);
    if (option == NULL) {
        mt_import_lose(self, "%s: an option that is not known to this import", words[0]);
        return 0;
    }
    if (option->arguments >= left) {
        mt_import_lose(self, "%s: something is missing behind it", words[0]);
        return 0;
    }
    self->has_keys |= strcasecmp(words[0], "key") == 0;
    if (option->key != NULL) {
        const char *value = option->arguments > 0 ? words[1] : option->text;
        mt_import_put(self, self->sources.file, MT_CONFIG_NTP, option->key, "%s", value);
    } else if (option->is_lost) {
        mt_import_lose(self, "%s: %s", words[0], option->text);
    } else if (option->text[0] != '\0') {
        mt_import_note(self, "%s: not needed here: %s", words[0], option->text);
    }
    return option->arguments;
}

/* Hosts may have longer names than sections. */
static void put_heading(struct mt_import *self, const char *host)
{
    const int kept = MT_CONFIG_NAME_MAX - 5;
    if (strlen(host) <= MT_CONFIG_NAME_MAX) {
        fprintf(self->sources.file, "\n[ntp %s]\n", host);
        return;
    }
    fprintf(self->sources.file, "\n[ntp %.*s-%zu]\n", kept, host,
            (size_t)(self->sources_count % 1000));
    mt_import_put(self, self->sources.file, MT_CONFIG_NTP, "address", "%s", host);
}

void mt_import_chrony_source(struct mt_import *self, char **words, size_t count)
{
    bool is_pool = strcasecmp(words[0], "pool") == 0;
    self->sources_count++;
    put_heading(self, words[1]);
    if (is_pool || strstr(words[1], "pool") != NULL) {
        mt_import_put(self, self->sources.file, MT_CONFIG_NTP, "pool", is_pool ? "yes" : "no");
    }
    for (size_t i = 2; i < count; i++) {
        i += take_option(self, &words[i], count - i);
    }
}

/* ---- reference clocks ------------------------------------------------------------------------ */

/* Where an option stands; 0: nowhere.  What follows an option is none, whatever it is called. */
static size_t find_word(char **words, size_t count, const char *name)
{
    static const char *const flags[] = {"local",   "noselect", "pps",  "prefer",
                                        "require", "tai",      "trust"};
    for (size_t i = 3; i < count; i++) {
        bool is_flag = false;
        if (strcasecmp(words[i], name) == 0) {
            return i;
        }
        for (size_t flag = 0; flag < sizeof flags / sizeof flags[0]; flag++) {
            is_flag |= strcasecmp(words[i], flags[flag]) == 0;
        }
        i += !is_flag;
    }
    return 0;
}

static const char *value_of(char **words, size_t count, const char *name)
{
    size_t at = find_word(words, count, name);
    return at > 0 && at + 1 < count ? words[at + 1] : NULL;
}

static bool has(char **words, size_t count, const char *name)
{
    return find_word(words, count, name) > 0;
}

static void put_time(struct mt_import *self, char **words, size_t count, const char *name,
                     const char *key)
{
    const char *value = value_of(words, count, name);
    char text[32];
    if (value != NULL) {
        mt_import_seconds(value, text, sizeof text);
        mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, key, "%s", text);
    }
}

static void put_flag(struct mt_import *self, char **words, size_t count, const char *name,
                     const char *key, const char *value)
{
    if (has(words, count, name)) {
        mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, key, "%s", value);
    }
}

static void put_options(struct mt_import *self, char **words, size_t count)
{
    static const char *const needless[] = {"poll", "filter", "minsamples", "maxsamples",
                                           "maxdispersion"};
    static const char *const lost[] = {"lock", "local", "pps", "rate", "width"};
    const char *dpoll = value_of(words, count, "dpoll");
    char text[32];
    if (dpoll != NULL) {
        char seconds[32];
        snprintf(seconds, sizeof seconds, "%.9f", ldexp(1, atoi(dpoll)));
        mt_import_seconds(seconds, text, sizeof text);
        mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, "poll", "%s", text);
    }
    put_time(self, words, count, "offset", "offset");
    put_time(self, words, count, "delay", "delay");
    put_time(self, words, count, "precision", "precision");
    if (value_of(words, count, "stratum") != NULL) {
        mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, "stratum", "%s",
                      value_of(words, count, "stratum"));
    }
    put_flag(self, words, count, "tai", "scale", "tai");
    put_flag(self, words, count, "prefer", "prefer", "yes");
    put_flag(self, words, count, "trust", "trust", "yes");
    put_flag(self, words, count, "require", "require", "yes");
    put_flag(self, words, count, "noselect", "select", "no");
    for (size_t i = 0; i < sizeof needless / sizeof needless[0]; i++) {
        if (has(words, count, needless[i])) {
            mt_import_note(self,
                           "%s: not needed here: each reading counts by its noise; "
                           "median_over makes one of several",
                           needless[i]);
        }
    }
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        if (has(words, count, lost[i])) {
            mt_import_lose(self, "refclock option %s: has no equal here", lost[i]);
        }
    }
}

static void put_place(struct mt_import *self, char **words, size_t count, bool is_shared)
{
    const char *id = value_of(words, count, "refid");
    size_t length = strcspn(words[2], ":"); /* then perm= */
    if (id != NULL) {
        fprintf(self->sources.file, "\n[refclock %s]\n", id);
    } else {
        fprintf(self->sources.file, "\n[refclock %s-%u]\n", is_shared ? "shm" : "sock",
                self->refclocks);
    }
    fprintf(self->sources.file, "driver = %s\n%s = %.*s\n", is_shared ? "shm" : "sock",
            is_shared ? "unit" : "path", (int)length, words[2]);
    if (id != NULL) {
        mt_import_put(self, self->sources.file, MT_CONFIG_REFCLOCK, "reference_id", "%s", id);
    }
}

void mt_import_chrony_refclock(struct mt_import *self, char **words, size_t count)
{
    bool is_shared = strcasecmp(words[1], "SHM") == 0;
    if (mt_import_is_ptp_refclock(self, words[1], words[2])) {
        self->has_ptp = true;
        for (size_t i = 3; i < count; i++) {
            mt_import_choose_ptp(self, words[i]);
        }
        mt_import_note(self, "refclock %s %s: not needed here: PTP is a source of the clock itself",
                       words[1], words[2]);
        return;
    }
    if (strcasecmp(words[1], "PHC") == 0) {
        mt_import_lose(self,
                       "refclock PHC: write [clock card] with clock = phc and device = %s, and "
                       "follow = card in [clock main]",
                       words[2]);
        return;
    }
    if (strcasecmp(words[1], "PPS") == 0) {
        mt_import_lose(self,
                       "refclock PPS: write [gnss NAME] with the receiver's device and pulse = %s, "
                       "or [refclock NAME] with driver = pps and device = %s",
                       words[2], words[2]);
        return;
    }
    if (!is_shared && strcasecmp(words[1], "SOCK") != 0) {
        mt_import_lose(self, "refclock %s: not here; let gpsd read it, and write [refclock NAME]",
                       words[1]);
        return;
    }
    self->refclocks++;
    put_place(self, words, count, is_shared);
    put_options(self, words, count);
}

/* ---- who is believed ------------------------------------------------------------------------- */

enum kind { NO_CHOICE, SIGNED, UNSIGNED, REFERENCE, KIND_COUNT };

struct choice {
    struct mt_import *import;
    unsigned counts[KIND_COUNT];
    bool trusts; /* who signs, and reference clocks */
    bool doubts; /* who does not sign */
};

static enum kind kind_of(const char *section)
{
    bool is_reference = strncmp(section, "\n[refclock ", 11) == 0;
    if (strstr(section, "\nselect = no") != NULL ||
        (!is_reference && strncmp(section, "\n[ntp ", 6) != 0)) {
        return NO_CHOICE;
    }
    if (is_reference) {
        return REFERENCE;
    }
    return strstr(section, "\nnts = yes") != NULL || strstr(section, "\nkey = ") != NULL ? SIGNED
                                                                                         : UNSIGNED;
}

static void count_section(struct choice *self, const char *section)
{
    self->counts[kind_of(section)]++;
}

static void put_once(struct mt_import *self, const char *section, const char *key,
                     const char *value)
{
    char needle[32];
    snprintf(needle, sizeof needle, "\n%s = ", key);
    if (strstr(section, needle) == NULL) {
        mt_import_put(self, self->sources.file, MT_CONFIG_NTP, key, "%s", value);
    }
}

static void put_section(struct choice *self, const char *section)
{
    enum kind kind = kind_of(section);
    fputs(section, self->import->sources.file);
    if (self->doubts && kind == UNSIGNED) {
        put_once(self->import, section, "select", "no");
    }
    if (self->trusts && (kind == SIGNED || kind == REFERENCE)) {
        put_once(self->import, section, "trust", "yes");
        put_once(self->import, section, "require", "yes");
    }
}

/* Each begins with an empty line and its heading. */
static void for_each(char *text, void (*visit)(struct choice *self, const char *section),
                     struct choice *choice)
{
    while (*text != '\0') {
        char *next = strstr(text + 1, "\n[");
        if (next == NULL) {
            visit(choice, text);
            return;
        }
        *next = '\0';
        visit(choice, text);
        *next = '\n';
        text = next;
    }
}

/* Only when all sources are known is it known whether some of them sign: so all are written again,
 * over what was there. */
void mt_import_chrony_choose(struct mt_import *self)
{
    struct choice choice = {.import = self};
    fflush(self->sources.file);
    char *text = strdup(self->sources.text);
    if (text == NULL) {
        mt_import_lose(self, "authselectmode: out of memory");
        return;
    }
    for_each(text, count_section, &choice);
    bool is_mixed = choice.counts[SIGNED] > 0 && choice.counts[UNSIGNED] > 0;
    choice.trusts = self->authentication == MT_IMPORT_MIX && is_mixed;
    choice.doubts = (self->authentication == MT_IMPORT_REQUIRE && choice.counts[UNSIGNED] > 0) ||
                    (self->authentication == MT_IMPORT_PREFER && is_mixed);
    if (choice.trusts) {
        mt_import_note(self, "servers with keys or NTS, and reference clocks, get trust and "
                             "require, as from chrony: the others count only as long as they agree "
                             "with them");
    }
    if (choice.doubts) {
        mt_import_note(self, "servers without keys and NTS get select = no, for authselectmode");
    }
    rewind(self->sources.file);
    for_each(text, put_section, &choice);
    free(text);
    if (choice.trusts && self->has_ptp) {
        mt_import_choose_ptp(self, "trust");
        mt_import_choose_ptp(self, "require");
    }
}
