/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Local programs that have asked something: answers of other clocks are passed on to them. */
#include "ptp/management_private.h"

static bool may_only_read(const struct mt_address *address)
{
    return address->network == MT_NETWORK_LOCAL_READ_ONLY;
}

/* The newest stands first.  Programs that may only read and those that may change have half of the
 * places each, where their oldest gives way; neither keeps the others from hearing answers. */
void mt_management_remember(struct mt_management *self, const struct mt_port_identity *identity,
                            const struct mt_address *address)
{
    unsigned of_kind = 0;
    unsigned place = 0;
    for (unsigned i = 0; i < MT_MANAGEMENT_CLIENTS; i++) {
        const struct mt_management_client *client = &self->clients[i];
        place = i;
        if (client->address.network == 0) {
            break;
        }
        if (may_only_read(&client->address) == may_only_read(address) &&
            (mt_port_identity_equal(&client->identity, identity) ||
             ++of_kind == MT_MANAGEMENT_CLIENTS / 2)) {
            break;
        }
    }
    memmove(&self->clients[1], &self->clients[0], place * sizeof self->clients[0]);
    self->clients[0].identity = *identity;
    self->clients[0].address = *address;
}

/* Under one identity a program that may change comes before one that has taken its name. */
bool mt_management_find_client(const struct mt_management *self,
                               const struct mt_port_identity *target,
                               struct mt_address *ret_address)
{
    bool is_found = false;
    for (unsigned i = 0; i < MT_MANAGEMENT_CLIENTS; i++) {
        const struct mt_management_client *client = &self->clients[i];
        if (client->address.network != 0 && mt_port_identity_equal(&client->identity, target) &&
            (!is_found || may_only_read(ret_address))) {
            *ret_address = client->address;
            is_found = true;
        }
    }
    return is_found;
}
