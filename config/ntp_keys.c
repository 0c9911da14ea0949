/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One line is one key, so there are no more keys than lines.  A line without a kind means MD5 to
 * others; here it has to be said, for nobody should have it without knowing.  Texts of keys are
 * never repeated in a problem: logs are read by many. */
#include "config/ntp_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/associations_private.h"
#include "config/reader.h"

#define LINE_SIZE 256
#define WORDS_MAX 4 /* one more than there may be */
#define BLANK     " \t\r"

struct key_reader {
    const char *path;
    unsigned line;
    struct mt_config_problems *problems;
    struct mt_ntp_key *keys;
    uint16_t count;
    bool is_good;
};

static void complain(struct key_reader *self, const char *text)
{
    mt_config_problem_add(self->problems, self->path, self->line, "%s", text);
    self->is_good = false;
}

/* `ret_length`: that which keys of the kind must have; 0: any. */
static bool parse_kind(const char *text, enum mt_ntp_key_kind *ret_kind, uint8_t *ret_length)
{
    static const struct {
        const char *name;
        enum mt_ntp_key_kind kind;
        uint8_t length;
    } kinds[MT_NTP_KEY_KIND_COUNT] = {
        {"AES128", MT_NTP_KEY_AES128_CMAC, 16}, {"AES256", MT_NTP_KEY_AES256_CMAC, 32},
        {"SHA1", MT_NTP_KEY_SHA1, 0},           {"SHA256", MT_NTP_KEY_SHA256, 0},
        {"SHA512", MT_NTP_KEY_SHA512, 0},       {"MD5", MT_NTP_KEY_MD5, 0},
    };
    for (size_t i = 0; i < MT_NTP_KEY_KIND_COUNT; i++) {
        if (strcmp(text, kinds[i].name) == 0) {
            *ret_kind = kinds[i].kind;
            *ret_length = kinds[i].length;
            return true;
        }
    }
    return false;
}

static bool is_known(const struct key_reader *self, uint32_t id)
{
    for (uint16_t i = 0; i < self->count; i++) {
        if (self->keys[i].id == id) {
            return true;
        }
    }
    return false;
}

static void add(struct key_reader *self, uint32_t id, enum mt_ntp_key_kind kind,
                const struct mt_security_key *octets)
{
    struct mt_ntp_key *key = &self->keys[self->count++];
    *key = (struct mt_ntp_key){.id = id, .kind = kind, .length = octets->length};
    memcpy(key->octets, octets->octets, octets->length);
}

static void read_words(struct key_reader *self, char *const *words, size_t count)
{
    struct mt_security_key octets = {0};
    enum mt_ntp_key_kind kind;
    uint8_t fixed;
    uint64_t id;
    if (count < 2 || !mt_config_number_parse(words[0], UINT32_MAX, &id) || id == 0) {
        complain(self, "expected: id kind key, the id from 1 to 4294967295");
    } else if (count == 2) {
        complain(self, "expected: id kind key; without a kind it is MD5, say so if it is meant");
    } else if (count > 3) {
        complain(self, "expected: id kind key, and nothing behind them");
    } else if (!parse_kind(words[1], &kind, &fixed)) {
        complain(self, "expected AES128, AES256, SHA1, SHA256, SHA512 or MD5 behind the id");
    } else if (!mt_config_octets_parse(words[2], &octets)) {
        complain(self, "the key: expected text, HEX: and an even number of hexadecimal digits, or "
                       "B64: and base64; 1 to 64 octets");
    } else if (fixed != 0 && octets.length != fixed) {
        complain(self, "AES128 needs a key of 16 octets, AES256 one of 32");
    } else if (is_known(self, (uint32_t)id)) {
        complain(self, "there is a key of this id already");
    } else if (self->count == UINT16_MAX) {
        complain(self, "there are too many keys");
    } else {
        add(self, (uint32_t)id, kind, &octets);
    }
}

static void read_line(struct key_reader *self, const char *line, size_t length)
{
    char text[LINE_SIZE];
    char *words[WORDS_MAX];
    size_t count = 0;
    if (length >= sizeof text || memchr(line, '\0', length) != NULL) {
        complain(self, "this is no line of a key");
        return;
    }
    memcpy(text, line, length);
    text[length] = '\0';
    char *at = text + strspn(text, BLANK);
    bool is_comment = *at != '\0' && strchr("#!;%", *at) != NULL;
    while (!is_comment && *at != '\0' && count < WORDS_MAX) {
        words[count++] = at;
        at += strcspn(at, BLANK);
        if (*at != '\0') {
            *at++ = '\0';
            at += strspn(at, BLANK);
        }
    }
    if (count > 0) {
        read_words(self, words, count);
    }
    mt_config_forget(text, sizeof text);
}

bool mt_config_ntp_keys_parse(const char *text, size_t length, const char *path,
                              struct mt_config_pool *pool, struct mt_config_problems *problems,
                              struct mt_ntp_keys *ret_keys)
{
    size_t lines = 1;
    for (size_t i = 0; i < length; i++) {
        lines += text[i] == '\n';
    }
    struct key_reader self = {
        .path = path,
        .problems = problems,
        .keys = mt_config_pool_take(pool, lines * sizeof *self.keys),
        .is_good = true,
    };
    if (self.keys == NULL) {
        complain(&self, "out of memory");
        return false;
    }
    for (size_t begin = 0; begin < length;) {
        const char *end = memchr(text + begin, '\n', length - begin);
        size_t size = end != NULL ? (size_t)(end - text) - begin : length - begin;
        self.line++;
        read_line(&self, text + begin, size);
        begin += size + 1;
    }
    *ret_keys = (struct mt_ntp_keys){.key = self.keys, .count = self.count};
    return self.is_good;
}

bool mt_config_ntp_keys_load(const char *path, struct mt_config_pool *pool,
                             struct mt_config_problems *problems, struct mt_ntp_keys *ret_keys)
{
    size_t length;
    bool is_private;
    char *text = mt_config_read_secret(path, &length, &is_private, problems);
    if (text == NULL) {
        return false;
    }
    bool is_good =
        mt_config_ntp_keys_parse(text, length, path, pool, problems, ret_keys) && is_private;
    mt_config_forget(text, length);
    free(text);
    return is_good;
}
