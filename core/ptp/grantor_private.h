/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The grantor's books and storage (grantor_table.c), for its protocol (grantor.c).
 */
#ifndef MEANTIME_GRANTOR_PRIVATE_H
#define MEANTIME_GRANTOR_PRIVATE_H

#include "ptp/unicast_private.h"

#define MT_GRANTOR_NONE UINT32_MAX

/** How a grant ends. */
enum mt_grant_end { MT_GRANT_CANCELLED, MT_GRANT_WITHDRAWN, MT_GRANT_EXPIRED };

/** A client by address and identity, or null. */
struct mt_client *mt_grantor_find(const struct mt_grantor *self, const struct mt_address *address,
                                  const struct mt_port_identity *identity);
/** The static client of an address, or null. */
struct mt_client *mt_grantor_find_static(const struct mt_grantor *self,
                                         const struct mt_address *address);
/** A new record; null if there is none left or the address has too many. */
struct mt_client *mt_grantor_add(struct mt_grantor *self, const struct mt_address *address,
                                 const struct mt_port_identity *identity);
bool mt_grant_is_active(const struct mt_grant *grant);
/** Grants or renews; the first message is due at `first`, if it is not under way at this interval
 * already. */
void mt_grantor_grant(struct mt_grantor *self, struct mt_client *client, enum mt_service service,
                      int8_t log_interval, struct mt_mono expires, struct mt_mono first);
/** Ends a grant, and the client's record with the last one. */
void mt_grantor_end(struct mt_grantor *self, struct mt_client *client, enum mt_service service,
                    enum mt_grant_end how);
/** When the grant is due next; it is not in a slot now. */
void mt_grantor_schedule(struct mt_grantor *self, struct mt_client *client, enum mt_service service,
                         struct mt_mono at);
/** Puts all that is due at `now` in the list of what is due; says when there will be more. */
struct mt_mono mt_grantor_turn(struct mt_grantor *self, struct mt_mono now);
/** When there will be something due that is not yet. */
struct mt_mono mt_grantor_deadline(const struct mt_grantor *self);
/** Takes the first that is due; null: none. */
struct mt_client *mt_grantor_take(struct mt_grantor *self, enum mt_service *ret_service);

#endif
