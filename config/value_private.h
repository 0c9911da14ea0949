/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of this folder share about values.
 */
#ifndef MEANTIME_CONFIG_VALUE_PRIVATE_H
#define MEANTIME_CONFIG_VALUE_PRIVATE_H

#include "config/config.h"

#define MT_CONFIG_INTERFACE_MAX 15 /**< the kernel's IFNAMSIZ - 1 */
#define MT_CONFIG_PATH_MAX      4000

#define MT_CONFIG_SNAKE_SIZE 64
/** The standard's spelling as ours: logMinDelayReqInterval -> log_min_delay_req_interval.  False
 * if the name is not spelt that way or does not fit. */
bool mt_config_snake_case(const char *name, char *buffer, size_t size);
bool mt_config_is_name(const char *text);
bool mt_config_is_interface(const char *text);
/** A path, or PROTOCOL:HOST:PORT, or a word; no spaces. */
bool mt_config_is_device(const char *text);
/** An address of IP, or what may be the name of a host. */
bool mt_config_is_host(const char *text);
/** A text without control characters that is neither empty nor too long. */
bool mt_config_is_for_people(const char *text);
/** A copy of the text; null when there is no memory left. */
char *mt_config_pool_text(struct mt_config_pool *pool, const char *text);
/** A list of addresses and names. */
/** How many there are in a text. */
size_t mt_config_stations_count(const char *text);
bool mt_config_stations_parse(const struct mt_config_key *key, const char *text, void *member,
                              struct mt_config_pool *pool);
void mt_config_stations_write(const void *member, char *buffer, size_t size);
bool mt_config_stations_equal(const void *a, const void *b);
/** "aabbcc.fffe.ddeeff", with "-PORT" if the port is not 0. */
/** What is behind it, or null. */
const char *mt_config_identity_parse(const char *text, struct mt_clock_identity *ret_identity);
void mt_config_identity_write(const struct mt_port_identity *value, char *buffer, size_t size);
void mt_config_identities_write(const struct mt_config_identities *value, char *buffer,
                                size_t size);

#endif
