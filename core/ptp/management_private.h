/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of management share: the table of ids and the little writer and reader with which
 * its functions put values on the wire and take them off.
 */
#ifndef MEANTIME_MANAGEMENT_PRIVATE_H
#define MEANTIME_MANAGEMENT_PRIVATE_H

#include "meantime/ptp_management.h"
#include "meantime/ptp_tlv.h"

#include "base/cursor.h"
#include "ptp/ptp_private.h"

/* ---- writing --------------------------------------------------------------------------------- */

/** Writes big-endian; sticky: what does not fit sets `failed`. */
struct mt_put {
    uint8_t *at;
    size_t left;
    bool failed;
};

void mt_put_number(struct mt_put *out, uint64_t value, unsigned octets);
void mt_put_octets(struct mt_put *out, const void *octets, size_t length);
/** PTPText [5.3.9]; null is empty. */
void mt_put_text(struct mt_put *out, const char *text, size_t length);
void mt_put_string(struct mt_put *out, const char *text);
void mt_put_port_identity(struct mt_put *out, const struct mt_port_identity *identity);
/** PortAddress [5.3.6]. */
void mt_put_address(struct mt_put *out, const struct mt_address *address);
/** A number and a reserved octet. */
void mt_put_octet_and_reserved(struct mt_put *out, unsigned value);
void mt_put_timestamp(struct mt_put *out, const struct mt_instant *at);

/* ---- the table ------------------------------------------------------------------------------- */

/** One id carried out for one clock or port. */
struct mt_managed {
    struct mt_instance *self;
    struct mt_management *management;
    struct mt_port *port; /**< of a port's id; null for a clock's */
    const struct mt_management_request *request;
};

typedef enum mt_management_error mt_management_get(const struct mt_managed *on, struct mt_put *out);
typedef enum mt_management_error mt_management_set(const struct mt_managed *on,
                                                   struct mt_reader *in);

struct mt_management_row {
    uint16_t id;
    bool is_of_port;
    bool has_length;        /**< else told by the data */
    uint8_t actions;        /**< bits of enum mt_management_action */
    uint8_t length;         /**< of what is set */
    mt_management_get *get; /**< null: this clock has no such thing */
    mt_management_set *set;
};

/** Null: no such id. */
const struct mt_management_row *mt_management_find(uint16_t id);

static inline struct mt_management *mt_management_of(const struct mt_instance *self)
{
    return self->config.more != NULL ? self->config.more->management : NULL;
}

static inline struct mt_management_port *mt_managed_port(const struct mt_managed *on)
{
    return &on->management->ports[on->port - on->self->ports];
}

/** Writes an answer with the id's data for `port` (null: the clock) into out->buffer; the length,
 * 0 if it does not fit. */
size_t mt_management_write_answer(struct mt_instance *self,
                                  const struct mt_management_request *request, struct mt_port *port,
                                  struct mt_outgoing *out);

/** OK if the profile, if any, allows the value; else the error to answer with. */
enum mt_management_error mt_managed_check(const struct mt_management *management,
                                          enum mt_management_limited what, int value);
/** An interval between 2^-7 and 2^6 s for messages of `timer`, which the profile allows; what is
 * due later than that comes sooner.  False: it may not be that, and nothing has changed. */
bool mt_managed_set_interval(struct mt_instance *self, struct mt_port *port, int8_t asked,
                             int8_t *log_interval, enum mt_port_timer timer);

/* ---- options (management_more.c) ------------------------------------------------------------- */

/** asCapable: that of gPTP, or that of the link. */
bool mt_managed_is_capable(const struct mt_managed *on, bool link_is_capable);
uint64_t mt_managed_sync_timeouts(const struct mt_port *port);
/** The 22 octets of TIME_STATUS_NP that come from the Follow_Up information TLV. */
void mt_managed_put_information(const struct mt_instance *self, struct mt_put *out);

/* ---- subscriptions (management_notify.c) ----------------------------------------------------- */

/** Takes down what has happened for those who want to know; the next time something is due. */
struct mt_mono mt_notify_settle(struct mt_instance *self, struct mt_management *management);
enum mt_management_error mt_notify_subscribe(const struct mt_managed *on, uint16_t duration_s,
                                             uint8_t events);
void mt_notify_show(const struct mt_managed *on, uint16_t *ret_duration_s, uint8_t *ret_events);

#define MT_MANAGEMENT_ID(name, id, scope, actions, length, get, set)                               \
    mt_management_get mt_get_##get;                                                                \
    mt_management_set mt_set_##set;
#include "meantime/management_id.def"
#undef MT_MANAGEMENT_ID

/* ---- local programs (management_clients.c) --------------------------------------------------- */

void mt_management_remember(struct mt_management *self, const struct mt_port_identity *identity,
                            const struct mt_address *address);
/** Where the program is that asked under this identity; false: there is none. */
bool mt_management_find_client(const struct mt_management *self,
                               const struct mt_port_identity *target,
                               struct mt_address *ret_address);

#endif
