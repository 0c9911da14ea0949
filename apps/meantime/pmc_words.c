/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Words of requests.  A request may stand in one argument or in several, as with pmc; a text may
 * have blanks in it if it is in quotes, or an argument by itself, or all that is left. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "apps/meantime/pmc.h"
#include "config/schema.h"

bool mt_pmc_action(const char *word, uint8_t *ret_action)
{
    static const struct {
        const char *word;
        uint8_t action;
    } actions[] = {{"GET", MT_ACTION_GET},
                   {"SET", MT_ACTION_SET},
                   {"COMMAND", MT_ACTION_COMMAND},
                   {"CMD", MT_ACTION_COMMAND}};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcasecmp(word, actions[i].word) == 0) {
            *ret_action = actions[i].action;
            return true;
        }
    }
    return false;
}

static bool is_text(uint16_t id, const char *field)
{
    static const struct {
        uint16_t id;
        const char *kind;
        const char *name;
    } fields[] = {
#define MT_PMC_FIELD(set, field, kind, number) {MT_ID_##set, #kind, #field},
#include "apps/meantime/pmc_fields.def"
#undef MT_PMC_FIELD
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].id == id && strcmp(fields[i].kind, "TEXT") == 0 &&
            strcasecmp(fields[i].name, field) == 0) {
            return true;
        }
    }
    return false;
}

const char *mt_pmc_number(const char *field, const char *value, char buffer[8])
{
    const struct mt_config_word *words =
        strcasecmp(field, "clockAccuracy") == 0 ? mt_config_accuracy_words
        : strcasecmp(field, "timeSource") == 0  ? mt_config_time_source_words
                                                : NULL;
    for (; words != NULL && words->word != NULL; words++) {
        if (strcasecmp(words->word, value) == 0) {
            snprintf(buffer, 8, "0x%02x", (unsigned)words->value & 0xFFU);
            return buffer;
        }
    }
    return value;
}

bool mt_pmc_is_only_text(uint16_t id)
{
    const char *name = mt_pmc_field_name(id, 0);
    return mt_pmc_field_count(id) == 1 && is_text(id, name);
}

/* What comes next is a text, by the words of the last request. */
static bool expects_text(char **words, int count)
{
    uint8_t action;
    int begin = count - 1;
    while (begin >= 0 && !mt_pmc_action(words[begin], &action)) {
        begin--;
    }
    const struct mt_pmc_id *id =
        begin >= 0 && begin + 1 < count ? mt_pmc_find(words[begin + 1]) : NULL;
    if (id == NULL || action != MT_ACTION_SET) {
        return false;
    }
    return (begin + 2 == count && mt_pmc_is_only_text(id->id)) ||
           (begin + 2 < count && is_text(id->id, words[count - 1]));
}

/* The first word of `*text`, without quotes, and what is behind it; null: there is none. */
static char *take_word(char **text)
{
    char *from = *text + strspn(*text, " \t");
    char *word = from;
    char *to = from;
    char quote = '\0';
    if (*from == '\0') {
        return NULL;
    }
    for (; *from != '\0' && (quote != '\0' || !isblank((unsigned char)*from)); from++) {
        if (quote == '\0' ? *from == '"' || *from == '\'' : *from == quote) {
            quote = quote == '\0' ? *from : '\0';
        } else {
            *to++ = *from;
        }
    }
    *text = from + (*from != '\0');
    *to = '\0';
    return word;
}

int mt_pmc_split(char **arguments, int count, char **ret_words, int max)
{
    int words = 0;
    for (int i = 0; i < count; i++) {
        char *rest = arguments[i];
        bool is_whole = expects_text(ret_words, words);
        for (char *word; (word = is_whole ? rest : take_word(&rest)) != NULL;) {
            if (words == max) {
                return -1;
            }
            ret_words[words++] = word;
            if (is_whole) {
                break;
            }
        }
    }
    return words;
}
