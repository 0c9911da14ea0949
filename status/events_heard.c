/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sentences about what a port hears, and does not: each says what may be the matter, since the
 * one who reads it has only just set the network up. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "status/events_private.h"
#include "status/names.h"

/* ", the last one by 001122.fffe.334455-1"; "" if nobody knows */
static void sender_text(const struct mt_status_event *event, char *buffer, size_t size)
{
    static const struct mt_port_identity nobody;
    char identity[MT_IDENTITY_TEXT_SIZE];
    buffer[0] = '\0';
    if (!mt_port_identity_equal(&event->value.heard.sender, &nobody)) {
        mt_port_identity_text(event->value.heard.sender, identity);
        snprintf(buffer, size, ", the last one by %s", identity);
    }
}

static void tell_refused(const struct mt_status_event *event, const char *port, char *buffer,
                         size_t size)
{
    char sender[60];
    uint64_t count = event->value.heard.count;
    sender_text(event, sender, sizeof sender);
    if (event->kind == MT_STATUS_EVENT_FORGED) {
        snprintf(buffer, size,
                 "%s: refused %" PRIu64 " %s with a wrong authentication code%s: the keys differ, "
                 "or somebody forges; compare what meantime keys says on both sides",
                 port, count, count == 1 ? "message" : "messages", sender);
    } else {
        snprintf(buffer, size,
                 "%s: refused %" PRIu64 " %s without an authentication code%s: the sender has no "
                 "keys, and this port asks for them (security_file)",
                 port, count, count == 1 ? "message" : "messages", sender);
    }
}

static void tell_domain(const struct mt_status_event *event, const char *port, char *buffer,
                        size_t size)
{
    char sender[MT_IDENTITY_TEXT_SIZE];
    mt_port_identity_text(event->value.heard.sender, sender);
    snprintf(buffer, size,
             "%s: hears %s in domain %u, sdoId 0x%03x, but is in domain %u, sdoId 0x%03x itself",
             port, sender, event->value.heard.domain, event->value.heard.sdo_id,
             event->value.heard.own_domain, event->value.heard.own_sdo_id);
}

void mt_status_heard_sentence(const struct mt_status_event *event, char *buffer, size_t size)
{
    char address[MT_ADDRESS_TEXT_SIZE];
    char port[100];
    snprintf(port, sizeof port, "instance %.40s, port %.40s", event->instance, event->port);
    if (event->kind == MT_STATUS_EVENT_DELAY_UNANSWERED) {
        snprintf(buffer, size,
                 "%s: nobody answers its Delay_Req, %" PRIu64 " in a row, so no delay is measured: "
                 "is something on the way that lets only one direction through, or are keys asked "
                 "for over there?",
                 port, event->value.heard.count);
    } else if (event->kind == MT_STATUS_EVENT_DELAY_ANSWERED) {
        snprintf(buffer, size, "%s: its Delay_Req are answered now", port);
    } else if (event->kind == MT_STATUS_EVENT_OTHER_DOMAIN) {
        tell_domain(event, port, buffer, size);
    } else if (event->kind == MT_STATUS_EVENT_UNICAST_DENIED) {
        mt_address_text(event->value.heard.address, address);
        snprintf(buffer, size, "%s: %s denies unicast service", port, address);
    } else {
        tell_refused(event, port, buffer, size);
    }
}
