/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A first pass counts associations, so that they lie together; the keys of one association follow
 * one another in the file, and lie together for the same reason.  Texts of keys are never repeated
 * in a problem: logs are read by many. */
#include "config/associations_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "config/value_private.h"

#define LINE_MAX_SIZE 1024
#define WORDS_MAX     4
#define SECTION       "[security_association]"

struct association_reader {
    const char *path;
    unsigned line;
    struct mt_config_pool *pool;
    struct mt_config_problems *problems;
    struct mt_config_associations *associations;
    struct mt_security_association *current; /* null before the first section */
    struct mt_security_key *keys;            /* room for those of all associations */
    unsigned current_line;
    bool has_spp; /* be it a wrong one */
    bool has_key; /* the same */
    bool is_good;
};

static void complain(struct association_reader *self, unsigned line, const char *text)
{
    mt_config_problem_add(self->problems, self->path, line, "%s", text);
    self->is_good = false;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static bool from_ascii(const char *text, struct mt_security_key *key)
{
    size_t length = strlen(text);
    if (length == 0 || length > sizeof key->octets) {
        return false;
    }
    memcpy(key->octets, text, length);
    key->length = (uint8_t)length;
    return true;
}

static int digit_in(const char *digits, char c)
{
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    return found != NULL ? (int)(found - digits) : -1;
}

static bool from_hex(const char *text, struct mt_security_key *key)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    size_t length = strlen(text);
    if (length == 0 || length % 2 != 0 || length / 2 > sizeof key->octets) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        int digit = digit_in(digits, text[i]);
        if (digit < 0) {
            return false;
        }
        key->octets[i / 2] = (uint8_t)(key->octets[i / 2] << 4 | digit % 16);
    }
    key->length = (uint8_t)(length / 2);
    return true;
}

static bool from_base64(const char *text, struct mt_security_key *key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text);
    size_t padding = 0;
    uint32_t bits = 0;
    while (padding < 2 && length > padding && text[length - 1 - padding] == '=') {
        padding++;
    }
    if (length == 0 || length % 4 != 0 || length / 4 * 3 - padding > sizeof key->octets) {
        return false;
    }
    key->length = 0;
    for (size_t i = 0; i < length - padding; i++) {
        int digit = digit_in(digits, text[i]);
        if (digit < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 != 0) { /* two bits of the first octet come with the second digit */
            key->octets[key->length++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return key->length > 0;
}

bool mt_config_octets_parse(const char *text, struct mt_security_key *key)
{
    if (strncmp(text, "HEX:", 4) == 0) {
        return from_hex(text + 4, key);
    }
    if (strncmp(text, "B64:", 4) == 0) {
        return from_base64(text + 4, key);
    }
    return from_ascii(strncmp(text, "ASCII:", 6) == 0 ? text + 6 : text, key);
}

bool mt_config_mac_parse(const char *text, enum mt_mac_kind *ret_kind, uint8_t *ret_length)
{
    static const struct {
        const char *name;
        enum mt_mac_kind kind;
        uint8_t length;
    } kinds[] = {{"SHA256-128", MT_MAC_HMAC_SHA256_128, 0},
                 {"SHA256", MT_MAC_HMAC_SHA256, 0},
                 {"AES128", MT_MAC_AES128_CMAC, 16},
                 {"AES256", MT_MAC_AES256_CMAC, 32}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(text, kinds[i].name) == 0) {
            *ret_kind = kinds[i].kind;
            *ret_length = kinds[i].length;
            return true;
        }
    }
    return false;
}

bool mt_config_number_parse(const char *text, uint64_t max, uint64_t *ret_value)
{
    char *end;
    if (digit_in("0123456789", text[0]) < 0) {
        return false;
    }
    errno = 0;
    *ret_value = strtoull(text, &end, 0);
    return *end == '\0' && errno == 0 && *ret_value <= max;
}

static bool holds_key(const struct mt_security_association *association, uint32_t id)
{
    for (size_t i = 0; i < association->key_count; i++) {
        if (association->keys[i].id == id) {
            return true;
        }
    }
    return false;
}

/* id kind [length] key */
static void read_key(struct association_reader *self, char **words, size_t count)
{
    struct mt_security_key key = {0};
    uint64_t id;
    uint64_t length;
    uint8_t fixed;
    if (count < 3 || !mt_config_number_parse(words[0], UINT32_MAX, &id) || id == 0) {
        complain(self, self->line, "expected: id kind [length] key, the id from 1 to 4294967295");
    } else if (!mt_config_mac_parse(words[1], &key.mac, &fixed)) {
        complain(self, self->line, "expected SHA256-128, SHA256, AES128 or AES256 behind the id");
    } else if (!mt_config_octets_parse(words[count - 1], &key)) {
        complain(self, self->line,
                 "the key: expected text, HEX: and an even number of hexadecimal digits, or B64: "
                 "and base64; 1 to 64 octets");
    } else if (count == 4 && (!mt_config_number_parse(words[2], MT_MAC_KEY_MAX, &length) ||
                              length != key.length)) {
        complain(self, self->line, "the key is not as long as the number before it says");
    } else if (fixed != 0 && key.length != fixed) {
        complain(self, self->line, "AES128 needs a key of 16 octets, AES256 one of 32");
    } else if (holds_key(self->current, (uint32_t)id)) {
        complain(self, self->line, "this association already has a key of that id");
    } else if (self->current->key_count == UINT16_MAX) {
        complain(self, self->line, "this association has too many keys");
    } else {
        key.id = (uint32_t)id;
        self->keys[self->current->key_count++] = key;
    }
}

/* ---- associations ---------------------------------------------------------------------------- */

static bool has_association(const struct association_reader *self, uint64_t spp)
{
    for (size_t i = 0; i + 1 < self->associations->count; i++) {
        if (self->associations->association[i].spp == spp) {
            return true;
        }
    }
    return false;
}

static void read_spp(struct association_reader *self, const char *text)
{
    uint64_t value;
    self->has_spp = true;
    if (!mt_config_number_parse(text, 255, &value)) {
        complain(self, self->line, "spp: expected an integer from 0 to 255");
    } else if (has_association(self, value)) {
        complain(self, self->line, "another association has this spp");
    } else {
        self->current->spp = (uint8_t)value;
    }
}

static void read_setting(struct association_reader *self, const char *name, const char *text)
{
    uint64_t value;
    const char *problem;
    if (strcmp(name, "spp") == 0) {
        read_spp(self, text);
    } else if (mt_config_chain_set(self->pool, self->current, name, text, &problem)) {
        if (problem != NULL) {
            complain(self, self->line, problem);
        }
    } else if (strcmp(name, "allow_mutable") == 0) {
        if (mt_config_number_parse(text, 1, &value)) {
            self->current->allows_mutable = value == 1;
        } else {
            complain(self, self->line, "allow_mutable: expected 0 or 1");
        }
    } else if (strcmp(name, "seqid_window") == 0) {
        if (mt_config_number_parse(text, UINT16_MAX / 2, &value)) {
            self->current->sequence_window = (uint16_t)value;
        } else {
            complain(self, self->line, "seqid_window: expected an integer from 0 to 32767");
        }
    } else {
        complain(self, self->line,
                 "expected spp, allow_mutable, seqid_window, a key: id kind [length] key, or a "
                 "chain's settings");
    }
}

static void end_association(struct association_reader *self)
{
    if (self->current == NULL) {
        return;
    }
    if (!self->has_spp) {
        complain(self, self->current_line, "this association has no spp");
    }
    if (!self->has_key && self->current->chain == NULL) {
        complain(self, self->current_line, "this association has no key");
    }
    if (self->current->chain != NULL) {
        const char *problem = self->has_key ? "an association has keys or a chain; make two of them"
                                            : mt_config_chain_check(self->current->chain);
        if (problem != NULL) {
            complain(self, self->current_line, problem);
        }
    }
    self->keys += self->current->key_count;
}

static void begin_association(struct association_reader *self)
{
    end_association(self);
    self->current = &self->associations->association[self->associations->count++];
    self->current->keys = self->keys;
    self->current_line = self->line;
    self->has_spp = false;
    self->has_key = false;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static size_t split(char *line, char *ret_words[WORDS_MAX + 1])
{
    size_t count = 0;
    char *rest = line;
    for (char *word = strtok_r(line, " \t\r\n", &rest); word != NULL && count <= WORDS_MAX;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        ret_words[count++] = word;
    }
    return count;
}

static void read_line(struct association_reader *self, char *line)
{
    char *words[WORDS_MAX + 1];
    if (line[0] == '#') {
        return;
    }
    size_t count = split(line, words);
    if (count == 0) {
        return;
    }
    if (count == 1 && strcmp(words[0], SECTION) == 0) {
        begin_association(self);
    } else if (self->current == NULL || words[0][0] == '[') {
        complain(self, self->line, "expected " SECTION);
    } else if (count > WORDS_MAX || count < 2) {
        self->has_key = true;
        complain(self, self->line, "expected: name value, or: id kind [length] key");
    } else if (count == 2) {
        read_setting(self, words[0], words[1]);
    } else if (count == 3 && strcmp(words[1], "=") == 0) {
        complain(self, self->line, "between name and value stands no =, as in linuxptp's sa_file");
        read_setting(self, words[0], words[2]);
    } else {
        self->has_key = true;
        read_key(self, words, count);
    }
}

static const char *next_line(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline != NULL ? newline + 1 : end;
}

static void read_lines(struct association_reader *self, const char *text, size_t length)
{
    const char *end = text + length;
    for (const char *at = text; at < end; at = next_line(at, end)) {
        char line[LINE_MAX_SIZE];
        size_t size = (size_t)(next_line(at, end) - at);
        self->line++;
        if (size >= sizeof line || memchr(at, '\0', size) != NULL) {
            complain(self, self->line, "this line is too long, or not text");
            continue;
        }
        memcpy(line, at, size);
        line[size] = '\0';
        read_line(self, line);
        mt_config_forget(line, sizeof line);
    }
    end_association(self);
}

bool mt_config_associations_parse(const char *text, size_t length, const char *path,
                                  struct mt_config_pool *pool, struct mt_config_problems *problems,
                                  struct mt_config_associations *ret_associations)
{
    size_t lines = 1;
    for (size_t i = 0; i < length; i++) {
        lines += text[i] == '\n';
    }
    struct mt_config_associations found = {
        .association = mt_config_pool_take(pool, lines * sizeof *found.association)};
    struct association_reader reader = {
        .path = path,
        .pool = pool,
        .problems = problems,
        .associations = &found,
        .keys = mt_config_pool_take(pool, lines * sizeof(struct mt_security_key)),
        .is_good = true,
    };
    if (found.association == NULL || reader.keys == NULL) {
        complain(&reader, 0, "out of memory");
        return false;
    }
    read_lines(&reader, text, length);
    if (reader.is_good && found.count == 0) {
        complain(&reader, 0, "expected " SECTION);
    }
    *ret_associations = found;
    return reader.is_good;
}

bool mt_config_associations_load(const char *path, struct mt_config_pool *pool,
                                 struct mt_config_problems *problems,
                                 struct mt_config_associations *ret_associations)
{
    size_t length;
    bool is_private;
    char *text = mt_config_read_secret(path, &length, &is_private, problems);
    if (text == NULL) {
        return false;
    }
    bool is_good =
        mt_config_associations_parse(text, length, path, pool, problems, ret_associations) &&
        is_private;
    mt_config_forget(text, length);
    free(text);
    return is_good;
}

/* ---- ports ----------------------------------------------------------------------------------- */

static const struct mt_security_association *find_association(
    const struct mt_config_associations *self, uint8_t spp)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->association[i].spp == spp) {
            return &self->association[i];
        }
    }
    return NULL;
}

/* "1, 2, 5": what there is instead of what was looked for. */
static void list_number(char *text, size_t size, uint32_t number)
{
    size_t length = strlen(text);
    snprintf(text + length, size - length, "%s%" PRIu32, length > 0 ? ", " : "", number);
}

static const char *list_associations(const struct mt_config_associations *self, bool are_chains,
                                     char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < self->count; i++) {
        if ((self->association[i].chain != NULL) == are_chains) {
            list_number(text, size, self->association[i].spp);
        }
    }
    return text[0] != '\0' ? text : "none";
}

static const char *list_keys(const struct mt_security_association *association, char *text,
                             size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < association->key_count; i++) {
        list_number(text, size, association->keys[i].id);
    }
    return text;
}

const char *mt_config_shared_fault(const struct mt_config_port *port, const char *path,
                                   const struct mt_config_associations *associations,
                                   char ret_text[MT_CONFIG_PROBLEM_SIZE])
{
    char there[80];
    const struct mt_security_association *association =
        port->has_no_spp ? NULL : find_association(associations, port->spp);
    if (port->has_no_spp) {
        return NULL;
    }
    if (association == NULL || association->chain != NULL) {
        snprintf(ret_text, MT_CONFIG_PROBLEM_SIZE,
                 "[port %s]: spp = %u: %s; associations with keys in %s: %s", port->name, port->spp,
                 association == NULL ? "there is no such association"
                                     : "this one is a chain, for delayed_spp",
                 path, list_associations(associations, false, there, sizeof there));
        return "spp";
    }
    if (port->active_key_id != 0 && !holds_key(association, port->active_key_id)) {
        snprintf(ret_text, MT_CONFIG_PROBLEM_SIZE,
                 "[port %s]: active_key_id = %" PRIu32 ": there is no such key; those of spp %u in "
                 "%s: %s",
                 port->name, port->active_key_id, port->spp, path,
                 list_keys(association, there, sizeof there));
        return "active_key_id";
    }
    return NULL;
}

const char *mt_config_delayed_fault(const struct mt_config_port *port, const char *path,
                                    const struct mt_config_associations *associations,
                                    char ret_text[MT_CONFIG_PROBLEM_SIZE])
{
    char there[80];
    const struct mt_security_association *association =
        port->has_no_delayed_spp ? NULL : find_association(associations, port->delayed_spp);
    if (port->has_no_delayed_spp || (association != NULL && association->chain != NULL)) {
        return NULL;
    }
    snprintf(ret_text, MT_CONFIG_PROBLEM_SIZE,
             "[port %s]: delayed_spp = %u: %s; associations with a chain in %s: %s", port->name,
             port->delayed_spp,
             association == NULL ? "there is no such association" : "this one has no chain", path,
             list_associations(associations, true, there, sizeof there));
    return "delayed_spp";
}

static bool check_port(const struct mt_config_port *port, const char *path,
                       const struct mt_config_associations *associations,
                       struct mt_config_problems *problems)
{
    char text[MT_CONFIG_PROBLEM_SIZE];
    bool is_good = true;
    if (mt_config_shared_fault(port, path, associations, text) != NULL) {
        mt_config_problem_add(problems, NULL, 0, "%s", text);
        is_good = false;
    }
    if (mt_config_delayed_fault(port, path, associations, text) != NULL) {
        mt_config_problem_add(problems, NULL, 0, "%s", text);
        is_good = false;
    }
    return is_good;
}

bool mt_config_security_load(const struct mt_config *config, size_t instance,
                             struct mt_config_pool *pool, struct mt_config_problems *problems,
                             struct mt_config_associations *ret_associations)
{
    const struct mt_config_instance *of = &config->instances[instance];
    *ret_associations = (struct mt_config_associations){NULL, 0};
    if (of->security_file == NULL) {
        return true;
    }
    bool is_good = mt_config_associations_load(of->security_file, pool, problems, ret_associations);
    for (size_t i = 0; is_good && i < of->port_count; i++) {
        is_good = check_port(&config->ports[of->first_port + i], of->security_file,
                             ret_associations, problems);
    }
    return is_good;
}
