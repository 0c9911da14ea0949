/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MEANTIME_CONFIG_ASSOCIATIONS_PRIVATE_H
#define MEANTIME_CONFIG_ASSOCIATIONS_PRIVATE_H

#include "config/associations.h"

/** 1 to MT_MAC_KEY_MAX octets as the file has them. */
bool mt_config_octets_parse(const char *text, struct mt_security_key *key);
/** `ret_length`: that which keys of the kind must have; 0: any. */
bool mt_config_mac_parse(const char *text, enum mt_mac_kind *ret_kind, uint8_t *ret_length);
bool mt_config_number_parse(const char *text, uint64_t max, uint64_t *ret_value);

/* ---- what a port wants and the file does not have -------------------------------------------- */

/** The name of the key that cannot be met, with a sentence that says why; null: all is there.
 * `path` is that of the file for the sentence. */
const char *mt_config_shared_fault(const struct mt_config_port *port, const char *path,
                                   const struct mt_config_associations *associations,
                                   char ret_text[MT_CONFIG_PROBLEM_SIZE]);
/** The same for delayed_spp. */
const char *mt_config_delayed_fault(const struct mt_config_port *port, const char *path,
                                    const struct mt_config_associations *associations,
                                    char ret_text[MT_CONFIG_PROBLEM_SIZE]);

/* ---- chains (chains.c) ----------------------------------------------------------------------- */

/** False if the setting is none of a chain; else `ret_problem` is null or what is wrong. */
bool mt_config_chain_set(struct mt_config_pool *pool, struct mt_security_association *association,
                         const char *name, const char *text, const char **ret_problem);
/** What is missing, or null. */
const char *mt_config_chain_check(const struct mt_chain *chain);

#endif
