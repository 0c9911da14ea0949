/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * meantime pmc: PTP management of any node, in parts: pmc.c talks with the user, pmc_ids.c knows
 * the names, pmc_fields.c what the data sets are made of, pmc_words.c takes requests apart,
 * pmc_print.c shows answers, pmc_link.c sends and receives,
 * pmc_network.c opens a way to other machines.
 */
#ifndef MEANTIME_APPS_PMC_H
#define MEANTIME_APPS_PMC_H

#include <cjson/cJSON.h>
#include <sys/socket.h>

#include "apps/meantime/tool.h"
#include "meantime/ptp_management.h"

/* ---- pmc_ids.c ------------------------------------------------------------------------------- */

struct mt_pmc_id {
    const char *name;
    uint16_t id;
    const char *actions; /**< "G", "GS", "C" ... */
};

/** Every id; a row without name ends it. */
extern const struct mt_pmc_id mt_pmc_ids[];
/** By a name in any case, "0x2005" too; null: there is none. */
const struct mt_pmc_id *mt_pmc_find(const char *name);
const struct mt_pmc_id *mt_pmc_find_number(uint16_t id);
const char *mt_pmc_nearest(const char *name);

/* ---- pmc_fields.c ---------------------------------------------------------------------------- */

/** The fields of a data set as text, in the order of the wire: an object of strings and numbers.
 * What is cut off is left out. */
cJSON *mt_pmc_read(uint16_t id, const uint8_t *data, size_t length);

#define MT_PMC_DATA_MAX 1400

/** Puts `value` into the field of the data set, of which `*length` octets are there (made longer
 * with zeros if need be).  False: `problem` says in words what is expected. */
bool mt_pmc_write(uint16_t id, const char *field, const char *value, uint8_t *data, size_t *length,
                  char problem[128]);
/** How many octets the data set has at least, for a request. */
size_t mt_pmc_size(uint16_t id);
/** Number of fields that can be given, and the name of the n-th. */
size_t mt_pmc_field_count(uint16_t id);
const char *mt_pmc_field_name(uint16_t id, size_t n);

/* ---- pmc_words.c ----------------------------------------------------------------------------- */

/** GET, SET or COMMAND in any case. */
bool mt_pmc_action(const char *word, uint8_t *ret_action);
/** The words of all arguments, which are written to; -1: more than `max`. */
int mt_pmc_split(char **arguments, int count, char **ret_words, int max);
/** True if the data set is a text and nothing else. */
bool mt_pmc_is_only_text(uint16_t id);
/** The number of a word that the configuration knows for the field, such as 100ns of
 * clockAccuracy; `value` itself if it is none. */
const char *mt_pmc_number(const char *field, const char *value, char buffer[8]);

/* ---- pmc_print.c ----------------------------------------------------------------------------- */

void mt_pmc_print(const char *from, const char *action, const char *name, const cJSON *data);

/* ---- pmc_addresses.c ------------------------------------------------------------------------- */

/** A PortAddress of `length` octets, all of them there. */
void mt_pmc_address_text(const uint8_t *octets, size_t length, char *text, size_t size);
/** A number of PortAddresses, 16 bits, and these. */
cJSON *mt_pmc_addresses_read(const uint8_t *octets, size_t length);
/** The same of addresses with commas between them, or "none"; how many octets, 0 if one is no
 * address or there is no room. */
size_t mt_pmc_addresses_write(const char *value, uint8_t *octets, size_t capacity);

/** An acceptable table [17.5.3]: its number, 16 bits, and entries of port identities with commas
 * between them, a port of 0 or none being any; or "none".  0: one is no identity, or no room. */
size_t mt_pmc_acceptable_write(const char *value, uint8_t *octets, size_t capacity);

/* ---- pmc_link.c ------------------------------------------------------------------------------ */

struct mt_pmc_link {
    int fd;
    bool is_local;
    struct mt_port_identity identity; /**< of this program */
    int ifindex;                      /**< on the network */
    struct sockaddr_storage to;       /**< on the network */
    socklen_t to_length;
    char own[MT_TOOL_PATH_SIZE]; /**< path of its socket; "": it has none */
};

/** Opens a socket towards the daemon at `path`.  False: it has been told why. */
bool mt_pmc_open_local(struct mt_pmc_link *self, const char *path);
bool mt_pmc_send(struct mt_pmc_link *self, const uint8_t *frame, size_t length);
/** Waits for the next frame; its length, 0 if none has come in time. */
size_t mt_pmc_receive(struct mt_pmc_link *self, int timeout_ms, uint8_t *buffer, size_t capacity);
void mt_pmc_close(struct mt_pmc_link *self);
/** Somebody else than the daemons of this machine; two programs at once are told apart. */
void mt_pmc_make_identity(struct mt_pmc_link *self);

/* ---- pmc_network.c --------------------------------------------------------------------------- */

/** "udp4", "udp6" or "l2"; null is the first. */
bool mt_pmc_is_transport(const char *name);
/** The address is one of this transport. */
bool mt_pmc_is_address(const char *transport, const char *address);
/** Opens a socket for PTP on an interface; to all nodes if `address` is null.  False: it has been
 * told why. */
bool mt_pmc_open_network(struct mt_pmc_link *self, const char *interface, const char *transport,
                         const char *address);

#endif
