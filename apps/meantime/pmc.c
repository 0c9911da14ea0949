/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime pmc: asks any PTP node of itself, or changes it, in the words of pmc.
 *
 * Nobody knows how many will answer, so it listens for a while after each request: on this machine
 * until it has been quiet for a moment, on the network for the whole timeout.  SET takes as many
 * fields as are to change; the others it reads first.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "apps/meantime/client.h"
#include "apps/meantime/pmc.h"
#include "meantime/ptp_tlv.h"

#define QUIET_MS     50
#define REQUESTS_MAX 64

struct pmc {
    struct mt_pmc_link link;
    struct mt_port_identity target;
    const char *local;
    const char *interface;
    const char *transport;
    const char *address;
    int timeout_ms;
    uint16_t sdo_id;
    uint8_t domain;
    uint8_t hops;
    bool has_domain;
    bool has_hops;
    bool is_json;
    bool is_rehearsal; /**< requests are checked, nothing is sent */
    uint16_t sequence;
    unsigned answers;
    unsigned errors;
    cJSON *results;
};

struct asked {
    uint8_t action;
    const struct mt_pmc_id *id;
    uint8_t data[MT_PMC_DATA_MAX];
    size_t length;
};

/* ---- sending --------------------------------------------------------------------------------- */

static bool send_request(struct pmc *self, const struct asked *asked)
{
    uint8_t value[MT_PMC_DATA_MAX + 2];
    uint8_t tlv[MT_PMC_DATA_MAX + 8];
    uint8_t frame[MT_PTP_MESSAGE_MAX];
    struct mt_ptp_message message = {
        .header = {.type = MT_PTP_MANAGEMENT,
                   .sdo_id = self->sdo_id,
                   .minor_version = 1,
                   .domain = self->domain,
                   .source = self->link.identity,
                   .sequence = ++self->sequence,
                   .log_interval = MT_PTP_LOG_INTERVAL_NONE},
        .body.management = {.target = self->target,
                            .starting_hops = self->hops,
                            .hops = self->hops,
                            .action = asked->action},
        .tlvs = tlv,
    };
    value[0] = (uint8_t)(asked->id->id >> 8);
    value[1] = (uint8_t)asked->id->id;
    memcpy(value + 2, asked->data, asked->length);
    message.tlvs_length =
        mt_tlv_write(MT_TLV_MANAGEMENT, value, 2 + asked->length, tlv, sizeof tlv);
    size_t length = mt_ptp_write(&message, frame, sizeof frame);
    return length > 0 && mt_pmc_send(&self->link, frame, length);
}

/* ---- receiving ------------------------------------------------------------------------------- */

static const char *error_words(unsigned error)
{
    switch (error) {
    case MT_MANAGEMENT_RESPONSE_TOO_BIG:
        return "the answer is too big for a message";
    case MT_MANAGEMENT_NO_SUCH_ID:
        return "no such id there";
    case MT_MANAGEMENT_WRONG_LENGTH:
        return "wrong length";
    case MT_MANAGEMENT_WRONG_VALUE:
        return "value not allowed";
    case MT_MANAGEMENT_NOT_SETABLE:
        return "cannot be set";
    case MT_MANAGEMENT_NOT_SUPPORTED:
        return "not supported, or not allowed from here";
    case MT_MANAGEMENT_UNPOPULATED:
        return "nothing there";
    }
    return "general error";
}

static void identity_text(const struct mt_port_identity *identity, char text[40])
{
    const uint8_t *octet = identity->clock.octet;
    snprintf(text, 40, "%02x%02x%02x.%02x%02x.%02x%02x%02x-%u", octet[0], octet[1], octet[2],
             octet[3], octet[4], octet[5], octet[6], octet[7], identity->port);
}

static void tell(struct pmc *self, const struct mt_ptp_message *message,
                 const struct mt_tlv_management *value, const struct mt_pmc_id *id)
{
    char from[40];
    char unknown[12];
    const char *name = id != NULL ? id->name : unknown;
    const char *action =
        message->body.management.action == MT_ACTION_ACKNOWLEDGE ? "ACKNOWLEDGE" : "RESPONSE";
    identity_text(&message->header.source, from);
    snprintf(unknown, sizeof unknown, "0x%04x", value->id);
    cJSON *data = value->error == 0 ? mt_pmc_read(value->id, value->data, value->length) : NULL;
    if (self->is_json) {
        cJSON *result = cJSON_CreateObject();
        cJSON_AddStringToObject(result, "port_identity", from);
        cJSON_AddStringToObject(result, "action", action);
        cJSON_AddStringToObject(result, "id", name);
        if (value->error != 0) {
            cJSON_AddNumberToObject(result, "error", value->error);
            cJSON_AddStringToObject(result, "problem", error_words(value->error));
        } else {
            cJSON_AddItemToObject(result, "data", data);
        }
        cJSON_AddItemToArray(self->results, result);
        return;
    }
    if (value->error != 0) {
        printf("%s  %s %s: %s (error 0x%04x)\n", from, action, name, error_words(value->error),
               value->error);
    } else {
        mt_pmc_print(from, action, name, data);
    }
    cJSON_Delete(data);
}

/* True if it answers this request. */
static bool parse_answer(const struct pmc *self, const uint8_t *frame, size_t length,
                         struct mt_ptp_message *ret_message, struct mt_tlv_management *ret_value)
{
    struct mt_tlv tlv;
    if (mt_ptp_parse(frame, length, ret_message) != MT_VERDICT_ACCEPTED ||
        ret_message->header.type != MT_PTP_MANAGEMENT ||
        ret_message->header.domain != self->domain ||
        (ret_message->body.management.action != MT_ACTION_RESPONSE &&
         ret_message->body.management.action != MT_ACTION_ACKNOWLEDGE) ||
        !mt_port_identity_equal(&ret_message->body.management.target, &self->link.identity) ||
        ret_message->header.sequence != self->sequence) {
        return false;
    }
    const uint8_t *tlvs = ret_message->tlvs;
    size_t tlvs_length = ret_message->tlvs_length;
    return mt_tlv_next(&tlvs, &tlvs_length, &tlv) && mt_tlv_parse_management(&tlv, ret_value);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes answers until it is time to go on; keeps the data of the first instead of telling if
 * `first` is not null. */
static void take_answers(struct pmc *self, struct asked *first)
{
    int64_t end_ms = now_ms() + self->timeout_ms;
    bool is_quiet_the_end = self->link.is_local && self->hops == 0;
    bool has_answer = false;
    for (;;) {
        uint8_t frame[MT_PTP_MESSAGE_MAX];
        struct mt_ptp_message message;
        struct mt_tlv_management value;
        int64_t left_ms = end_ms - now_ms();
        int wait_ms =
            has_answer && is_quiet_the_end && left_ms > QUIET_MS ? QUIET_MS : (int)left_ms;
        size_t length = left_ms > 0 ? mt_pmc_receive(&self->link, wait_ms, frame, sizeof frame) : 0;
        if (length == 0 && (left_ms <= 0 || has_answer)) {
            return;
        }
        if (length == 0 || !parse_answer(self, frame, length, &message, &value)) {
            continue;
        }
        has_answer = true;
        if (first != NULL) {
            if (value.error == 0 && value.length <= sizeof first->data) {
                memcpy(first->data, value.data, value.length);
                first->length = value.length;
                return;
            }
            continue;
        }
        self->answers++;
        self->errors += value.error != 0;
        tell(self, &message, &value, mt_pmc_find_number(value.id));
    }
}

/* ---- what is asked --------------------------------------------------------------------------- */

/* A text that was given in several words. */
static void join(char **words, int count, char *text, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < count && length < size; i++) {
        length +=
            (size_t)snprintf(text + length, size - length, "%s%s", i > 0 ? " " : "", words[i]);
    }
}

/* "GET ID", "SET ID value", "SET ID field value ...", "COMMAND ID": words of one request. */
static enum mt_exit fill(struct pmc *self, struct asked *asked, char **words, int count)
{
    char problem[128];
    char text[MT_PMC_DATA_MAX];
    char number[8];
    char *joined = text;
    uint16_t id = asked->id->id;
    const char *name = mt_pmc_field_name(id, 0);
    size_t fields = mt_pmc_field_count(id);
    if (count > 1 && mt_pmc_is_only_text(id)) {
        bool is_named = strcasecmp(words[0], name) == 0;
        join(words + is_named, count - is_named, text, sizeof text);
        words = &joined;
        count = 1;
    }
    if (count == 0) {
        return fields == 0 || asked->action == MT_ACTION_COMMAND
                   ? MT_EXIT_GOOD
                   : mt_tool_misuse("pmc: SET %s: expected a field and its value", asked->id->name);
    }
    if (count == 1 && fields > 0) {
        if (mt_pmc_write(id, name, mt_pmc_number(name, words[0], number), asked->data,
                         &asked->length, problem) &&
            fields == 1) {
            return MT_EXIT_GOOD;
        }
        return fields == 1 ? mt_tool_misuse("pmc: %s: %s", asked->id->name, problem)
                           : mt_tool_misuse("pmc: %s has several fields: expected a name before "
                                            "each value",
                                            asked->id->name);
    }
    if (count % 2 != 0) {
        return mt_tool_misuse("pmc: %s: expected a field and a value, again and again",
                              asked->id->name);
    }
    if ((size_t)count / 2 < fields && !self->is_rehearsal) { /* the others stay as they are */
        struct asked present = {.action = MT_ACTION_GET, .id = asked->id};
        if (!send_request(self, &present)) {
            return MT_EXIT_BAD;
        }
        take_answers(self, asked);
    }
    for (int i = 0; i < count; i += 2) {
        const char *value = mt_pmc_number(words[i], words[i + 1], number);
        if (!mt_pmc_write(id, words[i], value, asked->data, &asked->length, problem)) {
            return mt_tool_misuse("pmc: %s: %s", asked->id->name, problem);
        }
    }
    return MT_EXIT_GOOD;
}

static enum mt_exit check_id(const struct asked *asked, const char *action, const char *name)
{
    static const char letters[] = {
        [MT_ACTION_GET] = 'G', [MT_ACTION_SET] = 'S', [MT_ACTION_COMMAND] = 'C'};
    if (asked->id == NULL) {
        const char *nearest = mt_pmc_nearest(name);
        return nearest != NULL
                   ? mt_tool_misuse("pmc: %s: there is no such id; did you mean %s?", name, nearest)
                   : mt_tool_misuse("pmc: %s: there is no such id; `meantime pmc --list` names all",
                                    name);
    }
    if (strchr(asked->id->actions, letters[asked->action]) == NULL) {
        return mt_tool_misuse("pmc: %s does not allow %s", asked->id->name, action);
    }
    return MT_EXIT_GOOD;
}

static enum mt_exit request(struct pmc *self, char **words, int count)
{
    struct asked asked = {.length = 0};
    if (count < 2 || !mt_pmc_action(words[0], &asked.action)) {
        return mt_tool_misuse("pmc: expected GET, SET or COMMAND and the name of a data set, not "
                              "\"%s\"",
                              count > 0 ? words[0] : "");
    }
    asked.id = mt_pmc_find(words[1]);
    enum mt_exit status = check_id(&asked, words[0], words[1]);
    if (status == MT_EXIT_GOOD && asked.action != MT_ACTION_GET) {
        status = fill(self, &asked, words + 2, count - 2);
    }
    if (status != MT_EXIT_GOOD) {
        return status;
    }
    if (asked.action == MT_ACTION_GET && count == 3) { /* the key of an alternate timescale */
        double key;
        if (!mt_tool_number(words[2], 0, 255, &key)) {
            return mt_tool_misuse("pmc: GET %s: expected a key after it, if anything",
                                  asked.id->name);
        }
        asked.data[0] = (uint8_t)key;
        asked.length = mt_pmc_size(asked.id->id);
    }
    if (self->is_rehearsal) {
        return MT_EXIT_GOOD;
    }
    if (!send_request(self, &asked)) {
        return MT_EXIT_BAD;
    }
    take_answers(self, NULL);
    return MT_EXIT_GOOD;
}

/* One request may stand in one argument or in several; a new one begins with its action. */
static enum mt_exit request_all(struct pmc *self, char **words, int count)
{
    uint8_t action;
    int begin = 0;
    for (int i = 1; i <= count; i++) {
        if (i < count && !mt_pmc_action(words[i], &action)) {
            continue;
        }
        enum mt_exit status = request(self, words + begin, i - begin);
        if (status != MT_EXIT_GOOD) {
            return status;
        }
        begin = i;
    }
    return MT_EXIT_GOOD;
}

/* ---- options --------------------------------------------------------------------------------- */

/* "001122.fffe.334455-1", "001122.fffe.334455" or "*". */
static bool parse_target(const char *text, struct mt_port_identity *ret_target)
{
    struct mt_port_identity target = {.port = 0xFFFF};
    unsigned octet[8];
    int used = 0;
    if (strcmp(text, "*") == 0) {
        memset(ret_target, 0xFF, sizeof *ret_target);
        return true;
    }
    if (sscanf(text, "%2x%2x%2x.%2x%2x.%2x%2x%2x%n", &octet[0], &octet[1], &octet[2], &octet[3],
               &octet[4], &octet[5], &octet[6], &octet[7], &used) != 8) {
        return false;
    }
    for (unsigned i = 0; i < 8; i++) {
        target.clock.octet[i] = (uint8_t)octet[i];
    }
    if (text[used] == '-') {
        double port;
        if (!mt_tool_number(text + used + 1, 1, 65535, &port)) {
            return false;
        }
        target.port = (uint16_t)port;
    } else if (text[used] != '\0') {
        return false;
    }
    *ret_target = target;
    return true;
}

static bool take_number(const char *name, double max, int count, char **arguments, int *at,
                        double *ret_value, enum mt_exit *ret_status)
{
    const char *value = mt_tool_option(name, count, arguments, at);
    if (value == NULL) {
        return false;
    }
    if (!mt_tool_number(value, 0, max, ret_value)) {
        *ret_status = mt_tool_misuse("pmc: %s: expected a number from 0 to %.0f", name, max);
    }
    return true;
}

static enum mt_exit list(void)
{
    for (const struct mt_pmc_id *id = mt_pmc_ids; id->name != NULL; id++) {
        printf("0x%04x %-36s %s%s%s\n", id->id, id->name, strchr(id->actions, 'G') ? "GET " : "",
               strchr(id->actions, 'S') ? "SET " : "", strchr(id->actions, 'C') ? "COMMAND" : "");
    }
    return MT_EXIT_GOOD;
}

/* What linuxptp's pmc calls otherwise; null: nothing. */
static const char *present_option(const char *option)
{
    static const char *const options[][2] = {
        {"-i", "--interface NAME"}, {"-2", "--transport l2"},       {"-4", "--transport udp4"},
        {"-6", "--transport udp6"}, {"-t", "--sdo-id 0x100 for 1"},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(option, options[i][0]) == 0) {
            return options[i][1];
        }
    }
    return NULL;
}

/* Takes one option; false if it is none.  Some of linuxptp's pmc mean the same. */
static bool take_option(struct pmc *self, int count, char **arguments, int *at,
                        enum mt_exit *ret_status)
{
    const char *value;
    double number;
    if (strcmp(arguments[*at], "--json") == 0) {
        self->is_json = true;
    } else if (strcmp(arguments[*at], "-u") == 0) { /* pmc's, and what is done anyway */
        return true;
    } else if ((value = mt_tool_option("--local", count, arguments, at)) != NULL ||
               (value = mt_tool_option("-s", count, arguments, at)) != NULL) {
        self->local = value;
    } else if ((value = mt_tool_option("--interface", count, arguments, at)) != NULL) {
        self->interface = value;
    } else if ((value = mt_tool_option("--transport", count, arguments, at)) != NULL) {
        self->transport = value;
    } else if ((value = mt_tool_option("--address", count, arguments, at)) != NULL) {
        self->address = value;
    } else if ((value = mt_tool_option("--target", count, arguments, at)) != NULL) {
        if (!parse_target(value, &self->target)) {
            *ret_status = mt_tool_misuse("pmc: --target: expected a clock identity such as "
                                         "001122.fffe.334455, with -PORT for one port of it");
        }
    } else if (take_number("--domain", 255, count, arguments, at, &number, ret_status) ||
               take_number("-d", 255, count, arguments, at, &number, ret_status)) {
        self->domain = (uint8_t)number;
        self->has_domain = true;
    } else if (take_number("--sdo-id", 4095, count, arguments, at, &number, ret_status)) {
        self->sdo_id = (uint16_t)number;
    } else if (take_number("--hops", 255, count, arguments, at, &number, ret_status) ||
               take_number("-b", 255, count, arguments, at, &number, ret_status)) {
        self->hops = (uint8_t)number;
        self->has_hops = true;
    } else if (take_number("--timeout", 3600, count, arguments, at, &number, ret_status)) {
        self->timeout_ms = (int)(number * 1000);
    } else if (strncmp(arguments[*at], "--", 2) == 0) {
        *ret_status = mt_tool_misuse("pmc: %s: there is no such option", arguments[*at]);
    } else if ((value = present_option(arguments[*at])) != NULL) {
        *ret_status = mt_tool_misuse("pmc: %s of linuxptp's pmc is %s here", arguments[*at], value);
    } else {
        return false;
    }
    return true;
}

static enum mt_exit check_network(const struct pmc *self)
{
    if (self->interface == NULL && (self->transport != NULL || self->address != NULL)) {
        return mt_tool_misuse("pmc: --transport and --address go with --interface");
    }
    if (!mt_pmc_is_transport(self->transport)) {
        return mt_tool_misuse("pmc: --transport: expected udp4, udp6 or l2");
    }
    if (self->address != NULL && !mt_pmc_is_address(self->transport, self->address)) {
        return mt_tool_misuse("pmc: --address: expected an address of %s, not \"%s\"",
                              self->transport != NULL ? self->transport : "udp4", self->address);
    }
    return MT_EXIT_GOOD;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* This machine's daemon says itself in which domain its first instance is. */
static void ask_for_domain(struct pmc *self, const struct mt_tool *tool)
{
    char reason[MT_CLIENT_REASON_SIZE];
    cJSON *reply = mt_client_ask(tool, "{\"command\":\"status\"}", reason);
    const cJSON *report = cJSON_GetObjectItemCaseSensitive(reply, "status");
    const cJSON *instances = cJSON_GetObjectItemCaseSensitive(report, "instances");
    const cJSON *first = cJSON_GetArrayItem(instances, 0);
    const cJSON *domain = cJSON_GetObjectItemCaseSensitive(first, "domain");
    const cJSON *sdo_id = cJSON_GetObjectItemCaseSensitive(first, "sdo_id");
    if (cJSON_IsNumber(domain) && cJSON_IsNumber(sdo_id)) {
        self->domain = (uint8_t)domain->valueint;
        self->sdo_id = (uint16_t)sdo_id->valueint;
    }
    cJSON_Delete(reply);
}

/* Who may not write to one socket may read from the other. */
static bool open_link(struct pmc *self, const struct mt_tool *tool)
{
    char path[MT_TOOL_PATH_SIZE + 16];
    if (self->interface != NULL) {
        return mt_pmc_open_network(&self->link, self->interface, self->transport, self->address);
    }
    if (self->local != NULL) {
        snprintf(path, sizeof path, "%s", self->local);
    } else {
        snprintf(path, sizeof path, "%s/ptp-rw", tool->run_directory);
        if (access(path, F_OK) == 0 && access(path, W_OK) != 0) {
            snprintf(path, sizeof path, "%s/ptp-ro", tool->run_directory);
        }
    }
    if (strlen(path) >= MT_TOOL_PATH_SIZE) {
        mt_tool_fail("pmc: the path of the socket is too long");
        return false;
    }
    return mt_pmc_open_local(&self->link, path);
}

static enum mt_exit finish(struct pmc *self, enum mt_exit status)
{
    if (self->is_json) {
        char *text = cJSON_Print(self->results);
        puts(text != NULL ? text : "[]");
        cJSON_free(text);
        cJSON_Delete(self->results);
    }
    mt_pmc_close(&self->link);
    if (status == MT_EXIT_GOOD && self->answers == 0 && self->interface != NULL) {
        return mt_tool_fail("pmc: nobody has answered by %s behind %s; are the domain (%u) and "
                            "--transport right?",
                            self->transport != NULL ? self->transport : "udp4", self->interface,
                            self->domain);
    }
    if (status == MT_EXIT_GOOD && self->answers == 0) {
        return mt_tool_fail("pmc: nobody has answered; is the domain right (%u)?", self->domain);
    }
    return status == MT_EXIT_GOOD && self->errors > 0 ? MT_EXIT_BAD : status;
}

enum mt_exit mt_tool_pmc(const struct mt_tool *tool, int count, char **arguments)
{
    static struct pmc self;
    static char *words[REQUESTS_MAX * 4];
    enum mt_exit status = MT_EXIT_GOOD;
    int kept = 0;
    self.timeout_ms = 1000;
    memset(&self.target, 0xFF, sizeof self.target);
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--list") == 0) {
            return list();
        }
        if (!take_option(&self, count, arguments, &i, &status)) {
            arguments[kept++] = arguments[i];
        }
        if (status != MT_EXIT_GOOD) {
            return status;
        }
    }
    status = check_network(&self);
    if (status != MT_EXIT_GOOD) {
        return status;
    }
    self.hops = self.has_hops ? self.hops : self.interface != NULL;
    bool is_here = self.interface == NULL && self.local == NULL;
    int word_count = mt_pmc_split(arguments, kept, words, (int)(sizeof words / sizeof words[0]));
    if (word_count <= 0) {
        return mt_tool_misuse(word_count < 0 ? "pmc: too many words"
                                             : "pmc: expected a request such as \"GET "
                                               "DEFAULT_DATA_SET\"");
    }
    self.is_rehearsal = true;
    status = request_all(&self, words, word_count);
    self.is_rehearsal = false;
    if (status != MT_EXIT_GOOD) {
        return status;
    }
    if (is_here && !self.has_domain && self.sdo_id == 0) {
        ask_for_domain(&self, tool);
    }
    if (!open_link(&self, tool)) {
        return MT_EXIT_BAD;
    }
    self.results = self.is_json ? cJSON_CreateArray() : NULL;
    return finish(&self, request_all(&self, words, word_count));
}
