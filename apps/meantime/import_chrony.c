/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Directives of chrony.conf.  Each one that means something here has a function; what needs nothing
 * here, or has no equal, is in import_chrony.def with a sentence.  Files that are included are read
 * where they are named; where the order of directives matters to chrony (a later one of the same
 * name wins) our parser would complain, so those are kept until the end. */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "apps/meantime/import.h"
#include "apps/meantime/tool.h"

#define LINE_SIZE  1024
#define DEPTH_MOST 10
#define COMMENTS   "!;#%"

void mt_import_seconds(const char *text, char *buffer, size_t size)
{
    double seconds = strtod(text, NULL);
    double magnitude = seconds < 0 ? -seconds : seconds;
    if (magnitude >= 1 || magnitude < 0.5e-9) {
        snprintf(buffer, size, "%.9gs", magnitude < 0.5e-9 ? 0.0 : seconds);
    } else if (magnitude >= 1e-3) {
        snprintf(buffer, size, "%.6gms", seconds * 1e3);
    } else if (magnitude >= 1e-6) {
        snprintf(buffer, size, "%.3fus", seconds * 1e6);
    } else {
        snprintf(buffer, size, "%.0fns", seconds * 1e9);
    }
}

/* ---- the clock ------------------------------------------------------------------------------- */

static void makestep(struct mt_import *self, char **words, size_t count)
{
    char threshold[32] = "1s";
    if (count < 3) {
        mt_import_lose(self, "makestep: expected a threshold and a limit");
        return;
    }
    if (self->steps) {
        return;
    }
    self->steps = true;
    mt_import_seconds(words[1], threshold, sizeof threshold);
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "step_at_start", "%s", threshold);
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "step_later", "%s",
                  atoi(words[2]) < 0 ? threshold : "never");
}

static void maxslewrate(struct mt_import *self, char **words, size_t count)
{
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "max_slew", "%sppm", words[1]);
}

/* chrony ends where meantime goes on and says so. */
static void maxchange(struct mt_import *self, char **words, size_t count)
{
    char text[32];
    mt_import_seconds(words[1], text, sizeof text);
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "panic", "%s", text);
    mt_import_note(self,
                   "maxchange: after the first lock a larger offset is told and left as it "
                   "is; chrony would wait for %s corrections, and end after %s larger ones",
                   count > 2 ? words[2] : "some", count > 3 ? words[3] : "some");
}

static void minsources(struct mt_import *self, char **words, size_t count)
{
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "min_sources", "%s", words[1]);
}

static void maxclockerror(struct mt_import *self, char **words, size_t count)
{
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "max_drift", "%sppm", words[1]);
}

static void rtcsync(struct mt_import *self, char **words, size_t count)
{
    self->sets_rtc = true;
}

/* ---- what holds for all servers -------------------------------------------------------------- */

static void maxdistance(struct mt_import *self, char **words, size_t count)
{
    char text[32];
    mt_import_seconds(words[1], text, sizeof text);
    mt_import_put(self, self->ntp.file, MT_CONFIG_NTP, "max_distance", "%s", text);
}

static void bindacqdevice(struct mt_import *self, char **words, size_t count)
{
    mt_import_put(self, self->ntp.file, MT_CONFIG_NTP, "interface", "%s", words[1]);
}

static void bindacqaddress(struct mt_import *self, char **words, size_t count)
{
    mt_import_lose(self, "bindacqaddress %s: write interface = NAME in [ntp]", words[1]);
}

/* Of the client and of the server. */
static void keyfile(struct mt_import *self, char **words, size_t count)
{
    snprintf(self->key_file, sizeof self->key_file, "%s", words[1]);
    mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "key_file", "%s", words[1]);
}

static void ntstrustedcerts(struct mt_import *self, char **words, size_t count)
{
    const char *path = words[count - 1]; /* before it there may be the number of a set */
    mt_import_put(self, self->ntp.file, MT_CONFIG_NTP, "nts_ca", "%s", path);
    mt_import_note(self, "ntstrustedcerts: here these alone are trusted, not those of the system "
                         "besides; for some servers only, write nts_ca in their [ntp NAME]");
}

/* ---- the server ------------------------------------------------------------------------------ */

/* 192.168 is 192.168.0.0/16 there. */
static void subnet(const char *word, char *buffer, size_t size)
{
    unsigned parts = 1;
    size_t length = strspn(word, "0123456789.");
    if (word[length] != '\0') {
        snprintf(buffer, size, "%s", word);
        return;
    }
    for (size_t i = 0; i + 1 < length; i++) {
        parts += word[i] == '.';
    }
    length -= length > 0 && word[length - 1] == '.';
    snprintf(buffer, size, "%.*s%s/%u", (int)length, word,
             parts == 1   ? ".0.0.0"
             : parts == 2 ? ".0.0"
             : parts == 3 ? ".0"
                          : "",
             8 * parts);
}

static void allow_or_deny(struct mt_import *self, const char *key, char **words, size_t count)
{
    bool is_allow = strcmp(key, "allow") == 0;
    char text[64];
    const char *who = count > 1 ? words[count - 1] : "all";
    if (count > 2) {
        mt_import_note(self, "%s all: of two networks the smaller one decides here", key);
    }
    if (strcasecmp(who, "all") == 0 || strcmp(who, "0/0") == 0 || strcmp(who, "::/0") == 0) {
        if (is_allow) {
            self->serves = true;
            mt_import_put(self, self->server.file, MT_CONFIG_SERVER, key, "0.0.0.0/0, ::/0");
        } else {
            mt_import_note(self, "deny all: nobody is answered unless allow names him");
        }
        return;
    }
    self->serves |= is_allow;
    subnet(who, text, sizeof text);
    mt_import_put(self, self->server.file, MT_CONFIG_SERVER, key, "%s", text);
}

static void allow(struct mt_import *self, char **words, size_t count)
{
    allow_or_deny(self, "allow", words, count);
}

static void deny(struct mt_import *self, char **words, size_t count)
{
    allow_or_deny(self, "deny", words, count);
}

static void local(struct mt_import *self, char **words, size_t count)
{
    const char *stratum = "10";
    for (size_t i = 1; i < count; i++) {
        if (strcasecmp(words[i], "stratum") == 0 && i + 1 < count) {
            stratum = words[++i];
        } else if (strcasecmp(words[i], "orphan") == 0) {
            mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "orphan", "yes");
        } else if (i + 1 < count) {
            mt_import_note(self, "local %s: max_error of [server] says when it is not served",
                           words[i]);
            i++;
        }
    }
    self->has_local = true;
    mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "local_stratum", "%s", stratum);
}

static void ratelimit(struct mt_import *self, char **words, size_t count)
{
    const char *interval = "3";
    const char *burst = "8";
    for (size_t i = 1; i + 1 < count; i += 2) {
        if (strcasecmp(words[i], "interval") == 0) {
            interval = words[i + 1];
        } else if (strcasecmp(words[i], "burst") == 0) {
            burst = words[i + 1];
        } else {
            mt_import_note(self, "ratelimit %s: a fourth of what is too much is answered here",
                           words[i]);
        }
    }
    mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "rate_limit", "%s", interval);
    mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "rate_burst", "%s", burst);
}

static void ntsratelimit(struct mt_import *self, char **words, size_t count)
{
    mt_import_note(self, "ntsratelimit: connections of key exchange are limited by themselves");
}

static void bindaddress(struct mt_import *self, char **words, size_t count)
{
    mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "listen", "%s", words[1]);
}

static void port(struct mt_import *self, char **words, size_t count)
{
    self->is_no_server = strcmp(words[1], "0") == 0;
    if (!self->is_no_server) {
        mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "port", "%s", words[1]);
    }
}

static void server_key(struct mt_import *self, char **words, size_t count)
{
    static const char *const names[][2] = {
        {"ntsservercert", "nts_certificate"}, {"ntsserverkey", "nts_key"}, {"ntsport", "nts_port"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(words[0], names[i][0]) == 0) {
            mt_import_put(self, self->server.file, MT_CONFIG_SERVER, names[i][1], "%s", words[1]);
        }
    }
}

static void ntsrotate(struct mt_import *self, char **words, size_t count)
{
    long hours = strtol(count > 1 ? words[1] : "0", NULL, 10) / 3600;
    if (hours > 0) {
        mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "nts_rotate", "%ld", hours);
    } else {
        mt_import_lose(self, "ntsrotate: keys of cookies are changed once an hour at most");
    }
}

static void nocerttimecheck(struct mt_import *self, char **words, size_t count)
{
    mt_import_put(self, self->ntp.file, MT_CONFIG_NTP, "nts_time_check", "synchronised");
}

static void authselectmode(struct mt_import *self, char **words, size_t count)
{
    static const char *const modes[] = {[MT_IMPORT_MIX] = "mix",
                                        [MT_IMPORT_REQUIRE] = "require",
                                        [MT_IMPORT_PREFER] = "prefer",
                                        [MT_IMPORT_IGNORE] = "ignore"};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcasecmp(words[1], modes[i]) == 0) {
            self->authentication = (enum mt_import_authentication)i;
            return;
        }
    }
    mt_import_lose(self, "authselectmode %s: expected require, prefer, mix or ignore", words[1]);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* timemaster.conf comes with a name that is not Debian's. */
static void tell_missing(struct mt_import *self, const char *path)
{
    static const char debian[] = "/etc/chrony/chrony.conf";
    bool is_elsewhere = strcmp(path, "/etc/chrony.conf") == 0 && access(debian, F_OK) == 0;
    mt_import_lose(self, "%s: there is no such file%s%s%s", path, is_elsewhere ? "; " : "",
                   is_elsewhere ? debian : "", is_elsewhere ? " is: name it, too" : "");
}

static void include(struct mt_import *self, const char *pattern, bool must_exist)
{
    glob_t found;
    if (self->depth >= DEPTH_MOST) {
        mt_import_lose(self, "%s: included too deeply", pattern);
        return;
    }
    if (glob(pattern, 0, NULL, &found) != 0) {
        if (must_exist) {
            tell_missing(self, pattern);
        }
        return;
    }
    const char *path = self->path;
    unsigned line = self->line;
    self->depth++;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        mt_import_chrony(self, found.gl_pathv[i]);
    }
    self->depth--;
    self->path = path;
    self->line = line;
    globfree(&found);
}

static void include_directive(struct mt_import *self, char **words, size_t count)
{
    include(self, words[1], strpbrk(words[1], "*?[") == NULL);
}

static void directory(struct mt_import *self, char **words, size_t count)
{
    const char *suffix = strcasecmp(words[0], "confdir") == 0 ? "conf" : "sources";
    for (size_t i = 1; i < count; i++) {
        char pattern[MT_IMPORT_LINE];
        snprintf(pattern, sizeof pattern, "%s/*.%s", words[i], suffix);
        include(self, pattern, false);
    }
    if (strcasecmp(words[0], "sourcedir") == 0) {
        mt_import_note(self,
                       "sourcedir %s: what is there now is taken over, what comes later (by "
                       "DHCP, say) is not seen",
                       words[1]);
    }
}

/* ---- all directives -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t words; /* at least, itself included */
    void (*take)(struct mt_import *self, char **words, size_t count);
} directives[] = {
    {"server", 2, mt_import_chrony_source},
    {"pool", 2, mt_import_chrony_source},
    {"refclock", 3, mt_import_chrony_refclock},
    {"makestep", 1, makestep},
    {"maxslewrate", 2, maxslewrate},
    {"maxchange", 2, maxchange},
    {"minsources", 2, minsources},
    {"maxclockerror", 2, maxclockerror},
    {"rtcsync", 1, rtcsync},
    {"maxdistance", 2, maxdistance},
    {"bindacqdevice", 2, bindacqdevice},
    {"bindacqaddress", 2, bindacqaddress},
    {"keyfile", 2, keyfile},
    {"ntstrustedcerts", 2, ntstrustedcerts},
    {"allow", 1, allow},
    {"deny", 1, deny},
    {"local", 1, local},
    {"ratelimit", 1, ratelimit},
    {"ntsratelimit", 1, ntsratelimit},
    {"bindaddress", 2, bindaddress},
    {"port", 2, port},
    {"ntsservercert", 2, server_key},
    {"ntsserverkey", 2, server_key},
    {"ntsport", 2, server_key},
    {"ntsrotate", 1, ntsrotate},
    {"nocerttimecheck", 2, nocerttimecheck},
    {"authselectmode", 2, authselectmode},
    {"include", 2, include_directive},
    {"confdir", 2, directory},
    {"sourcedir", 2, directory},
};

static const struct {
    const char *name;
    const char *text;
    bool is_lost;
} told[] = {
#define NEEDLESS(name, text) {name, text, false},
#define LOST(name, text)     {name, text, true},
#define NEEDLESS_OPTION(name, arguments, text)
#define LOST_OPTION(name, arguments, text)
#include "apps/meantime/import_chrony.def"
#undef NEEDLESS
#undef LOST
#undef NEEDLESS_OPTION
#undef LOST_OPTION
};

static bool tell(struct mt_import *self, const char *name)
{
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        if (strcasecmp(name, told[i].name) != 0) {
            continue;
        }
        if (told[i].is_lost) {
            mt_import_lose(self, "%s: %s", name, told[i].text);
        } else {
            mt_import_note(self, "%s: not needed here: %s", name, told[i].text);
        }
        return true;
    }
    return false;
}

static void take(struct mt_import *self, char **words, size_t count)
{
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        if (strcasecmp(words[0], directives[i].name) != 0) {
            continue;
        }
        if (count < directives[i].words) {
            mt_import_lose(self, "%s: something is missing behind it", words[0]);
        } else {
            directives[i].take(self, words, count);
        }
        return;
    }
    if (!tell(self, words[0])) {
        mt_import_lose(self, "%s: not known to this import; `meantime explain` lists what there is",
                       words[0]);
    }
}

static size_t split(char *text, char *words[MT_IMPORT_WORDS])
{
    char *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(text, " \t\r\n", &rest); word != NULL && count < MT_IMPORT_WORDS;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        words[count++] = word;
    }
    return count;
}

void mt_import_chrony_line(struct mt_import *self, char *line)
{
    char *words[MT_IMPORT_WORDS];
    size_t count = split(line, words);
    if (count > 0 && strchr(COMMENTS, words[0][0]) == NULL) {
        take(self, words, count);
    }
}

bool mt_import_chrony(struct mt_import *self, const char *path)
{
    char text[MT_IMPORT_LINE];
    FILE *file = mt_import_open(path);
    if (file == NULL) {
        return false;
    }
    self->path = path;
    self->line = 0;
    while (mt_import_line(self, file, text)) {
        mt_import_chrony_line(self, text);
    }
    fclose(file);
    return true;
}

/* chrony steers the machine's clock, steps it and has the real-time clock set only if told to, and
 * serves only what it follows. */
void mt_import_chrony_end(struct mt_import *self)
{
    mt_import_chrony_choose(self);
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "clock", "system");
    mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "rtc_sync", "%s",
                  self->sets_rtc ? "yes" : "no");
    if (!self->steps) {
        mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "step_at_start", "never");
        mt_import_put(self, self->clock.file, MT_CONFIG_CLOCK, "step_later", "never");
    }
    if (self->has_keys) {
        mt_import_put(self, self->ntp.file, MT_CONFIG_NTP, "key_file", "%s", self->key_file);
    }
    if (!self->has_local) {
        mt_import_put(self, self->server.file, MT_CONFIG_SERVER, "local_stratum", "0");
    }
    if (self->sources_count == 0 && self->refclocks == 0 && !self->serves &&
        !mt_import_has_programs(self)) {
        mt_import_lose(self, "there is no server, no pool, no reference clock and no PTP domain in "
                             "it");
    }
}
