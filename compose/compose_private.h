/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef MEANTIME_COMPOSE_PRIVATE_H
#define MEANTIME_COMPOSE_PRIVATE_H

#include "compose/compose.h"
#include "meantime/ptp_peer.h"
#include "meantime/ptp_security.h"
#include "meantime/ptp_smpte.h"
#include "status/report.h"

/** What a port has beyond an ordinary one. */
struct mt_compose_port {
    struct mt_port_more more;
    struct mt_port_profile profile;
    struct mt_alternate alternate;
    struct mt_intervals intervals;
    struct mt_peer peer;
};

/** What an instance is made of. */
struct mt_compose_variant {
    struct mt_ptp_features features;
    const struct mt_extension *extensions[MT_EXTENSIONS_MAX]; /**< those that it uses */
};

/** Adds a sentence that the user should read. */
void mt_compose_note(struct mt_composition *self, const char *format, ...);

/** What an instance announces of its time while it is grandmaster, over a clock of `scale`. */
void mt_compose_time_properties(const struct mt_config_instance *instance,
                                const struct mt_compose_facts *facts, enum mt_timescale scale,
                                struct mt_time_properties *ret_time);

/** Makes what the extensions of instance `index` work with, pointed to by its config, which is so
 * too for what there is when it fails; completes that of its ports.  False with a reason. */
bool mt_compose_more(const struct mt_composition *self, uint16_t index,
                     struct mt_instance_config *instance, struct mt_port_config *ports,
                     char reason[MT_HAL_REASON_SIZE]);
/** May be null. */
void mt_compose_free_more(struct mt_instance_more *more);

/** Null: no memory. */
struct mt_management *mt_compose_management(const struct mt_config *config, uint16_t index,
                                            const struct mt_clock_identity *identity);
/** userDescription as configured; "" if there is none. */
void mt_compose_user_description(const struct mt_config_instance *config,
                                 struct mt_management *management);
/** The local time of instance `index`, against TAI as it is known by now. */
void mt_compose_zone(const struct mt_composition *self, uint16_t index,
                     struct mt_management *management);
/** Null and true where it is not asked for; false: no memory. */
bool mt_compose_smpte(const struct mt_config_instance *config, struct mt_smpte **ret_smpte);
void mt_compose_free_management(struct mt_management *management);

/** Null: no memory. */
struct mt_transparent *mt_compose_transparent(const struct mt_composition *self, uint16_t index);
void mt_compose_free_transparent(struct mt_transparent *transparent);

/** Null, and true, for an instance without security_file. */
bool mt_compose_security(const struct mt_config *config, uint16_t index,
                         struct mt_security **ret_security, char reason[MT_HAL_REASON_SIZE]);
void mt_compose_port_security(const struct mt_config_port *config,
                              const struct mt_security *security,
                              struct mt_port_security *ret_port);
/** Reads the keys again; false with a reason, and the old ones stay in force. */
bool mt_compose_security_again(const struct mt_config *config, uint16_t index,
                               struct mt_instance *instance, char reason[MT_HAL_REASON_SIZE]);
void mt_compose_free_security(struct mt_security *security);

/** Where two instances follow clock `index`, makes it known which of them is which. */
void mt_compose_standby(struct mt_composition *self, uint16_t index);
/* ---- holdover.c */
void mt_compose_ladder(const struct mt_config_instance *config,
                       struct mt_quality_ladder *ret_ladder);
void mt_compose_holdover(const struct mt_config_clock *config, struct mt_holdover *holdover);
/** Begins with what was learned of the oscillator of clock `index` before a restart. */
void mt_compose_oscillator(struct mt_composition *self, uint16_t index,
                           struct mt_hal_provider *provider);
/** Opens the thermometers of all clocks. */
void mt_compose_thermometers(struct mt_composition *self, struct mt_hal_provider *provider);
/** "gnss" */
const char *mt_compose_quality_source(enum mt_quality_source source);
/** Where clock `index` has sources to choose from, lays out who is judged, once all else is there;
 * and again when they are others.  False: no memory. */
bool mt_compose_arbiter(struct mt_composition *self, uint16_t index);
void mt_compose_free_arbiter(struct mt_arbiter *arbiter);
struct mt_report_source;
/** Of all clocks. */
size_t mt_compose_member_count(const struct mt_composition *self);
/** What is told of each; returns how many there are. */
size_t mt_compose_report_sources(const struct mt_composition *self,
                                 struct mt_report_source *ret_reports);
/** What a member of a clock's arbiter is called; null: it is gone. */
const char *mt_compose_member_name(const struct mt_composition *self, enum mt_arbiter_kind kind,
                                   uint16_t index);
/** Which server of a pool it is; null: its name says it. */
const struct mt_address *mt_compose_member_address(const struct mt_composition *self,
                                                   enum mt_arbiter_kind kind, uint16_t index);
/** Why a source is unreachable, or will soon be; null: nothing is wrong. */
const char *mt_compose_source_fault(const struct mt_composition *self,
                                    const struct mt_arbiter_member *member,
                                    enum mt_arbiter_verdict opinion);
/** Why that instance steers and not the other one, for people. */
const char *mt_compose_standby_reason(enum mt_standby_reason reason);

/** The sources of a clock that are ports; NTP servers come after them. */
uint16_t mt_compose_port_sources(const struct mt_config *config, size_t clock);
/** Of how many sources a server or pool of the configuration is. */
uint16_t mt_compose_ntp_members(const struct mt_config_ntp *ntp);
/** Of all, and of one clock. */
uint16_t mt_compose_ntp_count(const struct mt_config *config);
uint16_t mt_compose_ntp_sources(const struct mt_config *config, size_t clock);
/** Opens the links to all NTP servers, and makes the clients; clocks are there already. */
/** Makes room for one more link; false: there is no memory. */
bool mt_compose_reserve_link(struct mt_composition *self);
/** Gives server `index` of the node a link on which PTP messages carry its questions. */
bool mt_compose_ntp_in_ptp(struct mt_composition *self, uint16_t index,
                           struct mt_hal_provider *provider, char reason[MT_HAL_REASON_SIZE]);
/** Has the server answer in PTP messages, too, if the configuration says so. */
bool mt_compose_server_in_ptp(struct mt_composition *self, struct mt_hal_provider *provider,
                              char reason[MT_HAL_REASON_SIZE]);
/** What the interface of a port is called now, which may not be what it was asked for by. */
const char *mt_compose_interface(const struct mt_composition *self, uint16_t link, size_t port);
/** What people call a link of PTP by: its port, or its interface. */
/** True of one whose coming and going is not worth telling. */
bool mt_compose_is_spare_link(const struct mt_composition *self, uint16_t link);
const char *mt_compose_link_name(const struct mt_composition *self, uint16_t link);
bool mt_compose_ntp(struct mt_composition *self, char reason[MT_HAL_REASON_SIZE]);

/** A section [ntp NAME] in force, and what belongs to it. */
struct mt_compose_ntp {
    struct mt_config_ntp config;
    struct mt_config_pool pool; /**< of its texts */
    struct mt_ntp_keys keys;
    struct mt_config_pool key_pool;
    uint32_t number; /**< no other one ever has it; > 0 */
};
/** Copies a section and reads its keys.  Null with a reason. */
struct mt_compose_ntp *mt_compose_ntp_new(struct mt_composition *self,
                                          const struct mt_config_ntp *config,
                                          char reason[MT_HAL_REASON_SIZE]);
void mt_compose_ntp_free(struct mt_compose_ntp *section);
/** True without keys, too, where the section needs none. */
bool mt_compose_ntp_keys(const struct mt_config_ntp *config, struct mt_config_pool *pool,
                         struct mt_ntp_keys *ret_keys, char reason[MT_HAL_REASON_SIZE]);
/** Room for so many sections; false: no memory, and nothing has changed. */
bool mt_compose_ntp_reserve(struct mt_composition *self, size_t count);
/** These, for which there is room, are the sections in force. */
void mt_compose_ntp_list(struct mt_composition *self, struct mt_compose_ntp *const *sections,
                         size_t count);
/** Its servers are asked from now on.  False with a reason; some of them may be asked. */
bool mt_compose_ntp_ask(struct mt_composition *self, struct mt_compose_ntp *section,
                        struct mt_mono now, char reason[MT_HAL_REASON_SIZE]);
/** They are not asked any more, and no clock is to follow them from now on ... */
void mt_compose_ntp_part(struct mt_composition *self, const struct mt_compose_ntp *section);
/** ... and since none does, nothing is known of them any more. */
void mt_compose_ntp_forget(struct mt_composition *self, const struct mt_compose_ntp *section);
/* A reload: what it makes of the sections, which is worked out first. */
struct mt_compose_ntp_plan;
/** Null with a reason if anything of it is wrong; nothing has changed yet. */
struct mt_compose_ntp_plan *mt_compose_ntp_plan(struct mt_composition *self,
                                                const struct mt_config *config,
                                                char reason[MT_HAL_REASON_SIZE]);
void mt_compose_ntp_unplan(struct mt_compose_ntp_plan *plan);
/** Whether a change of such a section is made; if not, `ret_refusal` says why it needs a
 * restart. */
bool mt_compose_ntp_takes(const struct mt_compose_ntp_plan *plan,
                          const struct mt_config_change *change, const char **ret_refusal);
/** Servers come, go, or are seen anew. */
bool mt_compose_ntp_is_any(const struct mt_compose_ntp_plan *plan);
/** Does it; what is to be sent leaves with the next input.  False: no memory. */
bool mt_compose_ntp_again(struct mt_composition *self, struct mt_compose_ntp_plan *plan,
                          struct mt_mono now);

/** Add to what is told of a reload: a change in force, one that has to wait for a restart, a file
 * that cannot be used. */
void mt_compose_tell_applied(struct mt_composition *self, const char *format, ...);
/** It is not in force after all. */
void mt_compose_take_back(struct mt_composition *self, const char *format, ...);
void mt_compose_tell_refused(struct mt_composition *self, const char *format, ...);
void mt_compose_tell_unread(struct mt_composition *self, const char *format, ...);

/** "warn", "yield" or "insist". */
const char *mt_compose_rivals_policy(enum mt_rivals_policy policy);

struct mt_report_ntp;
/** What is told of a server. */
void mt_compose_report_ntp(const struct mt_composition *self, uint16_t index,
                           struct mt_report_ntp *ret_report);
void mt_compose_free_ntp(struct mt_composition *self);
/** Looks up those whose address is not known, or no good. */
void mt_compose_ntp_resolve(struct mt_composition *self, struct mt_mono now);
/** As `transport` of [ntp] has it. */
const char *mt_compose_carrier_name(enum mt_ntp_carrier carrier);
/** At which addresses those whom we ask may ask us. */
void mt_compose_own_addresses(struct mt_composition *self, struct mt_mono now);

/** Who stamps, as the configuration says. */
enum mt_stamper mt_compose_stamper(enum mt_config_timestamping timestamping);
/** The number of a port's link; ports that share one have the same number. */
uint16_t mt_compose_link_of(const struct mt_config *config, size_t port);
/** The first port of a link. */
size_t mt_compose_first_port(const struct mt_config *config, uint16_t link);
/** Opens all links of the configuration; node->links has room for one of each port. */
bool mt_compose_links(struct mt_node *node, const struct mt_config *config,
                      struct mt_hal_provider *provider, char reason[MT_HAL_REASON_SIZE]);

/** How many reference clocks a clock has: they are the last of its sources. */
uint16_t mt_compose_refclocks_of(const struct mt_config *config, size_t clock);
/** The receiver or reference clock whose pulses, or readings, come over a link; null: it is none
 * of those. */
const struct mt_config_refclock *mt_compose_pulses_of(const struct mt_composition *self,
                                                      uint16_t link);
/** What is wrong with a reference clock; null: nothing. */
const char *mt_compose_refclock_fault(const struct mt_composition *self, uint16_t index,
                                      bool is_unreachable);
struct mt_report_gnss;
/** What is told of a receiver. */
void mt_compose_report_gnss(const struct mt_composition *self, uint16_t index,
                            struct mt_report_gnss *ret_report);
struct mt_status_event;
/** Fills what is told of a receiver. */
void mt_compose_tell_gnss(const struct mt_composition *self, const struct mt_node_event *event,
                          struct mt_status_event *told);
/** Opens the next link of a node.  False with a reason. */
bool mt_compose_open_link(struct mt_node *node, struct mt_hal_provider *provider,
                          const struct mt_link_request *request, uint16_t *ret_index,
                          char reason[MT_HAL_REASON_SIZE]);
struct mt_pulse_request mt_compose_pulse(const struct mt_config_pulse *config);
/** Makes a GNSS receiver that is reference clock number `refclock`, and opens its links. */
bool mt_compose_gnss(struct mt_node *node, uint16_t refclock,
                     const struct mt_config_refclock *config, struct mt_hal_provider *provider,
                     char reason[MT_HAL_REASON_SIZE]);
/** Opens reference clocks and exports, once clocks and the links of ports are there. */
bool mt_compose_refclocks(struct mt_composition *self, struct mt_hal_provider *provider,
                          char reason[MT_HAL_REASON_SIZE]);

/** What the extensions for profiles work with, of an instance. */
struct mt_profile *mt_compose_profile(const struct mt_composition *self, uint16_t index);
/** `built_in` as the configuration of an instance wants it: its comparison and its states.  Sets
 * what belongs to these in `config`, too. */
const struct mt_ptp_features *mt_compose_variant(struct mt_composition *self, uint16_t index,
                                                 const struct mt_ptp_features *built_in,
                                                 struct mt_instance_config *config);
/** Once all that instance and ports are given is there: leaves out the extensions that they do not
 * use. */
void mt_compose_choose(struct mt_composition *self, uint16_t index,
                       const struct mt_instance_config *config, const struct mt_port_config *ports);

/** Makes grantors, requesters and what hybrid operation needs, where ports have them; false: no
 * memory. */
bool mt_compose_unicast(struct mt_composition *self, struct mt_hal_entropy *entropy);
void mt_compose_free_unicast(struct mt_composition *self);
/** Whom and what it grants from now on; false: no memory, and nothing has changed. */
bool mt_compose_grantor_again(const struct mt_config_unicast *config, struct mt_grantor *grantor);
/** Whether a reload may change this key of a port. */
bool mt_compose_is_unicast_key(const struct mt_config *config, size_t port, const char *name);
/** Null: no memory, or no text. */
char *mt_compose_copy_text(struct mt_config_pool *pool, const char *text);
/** Copies a list whose texts are then in `pool`; false: no memory. */
bool mt_compose_copy_stations(struct mt_config_pool *pool, const struct mt_config_stations *list,
                              struct mt_config_stations *ret_copy);
/** Puts a copy in the place of `self`, which is freed if it was of that pool; false: no memory, and
 * nothing has changed. */
bool mt_compose_replace_stations(struct mt_config_pool *pool, const struct mt_config_stations *list,
                                 struct mt_config_stations *self);
/** Takes over the change of such a key; false: it needs a restart after all. */
bool mt_compose_unicast_take(struct mt_composition *self, const struct mt_config_change *change,
                             const struct mt_config_unicast *wanted);

/** Adds what stateless PTP needs, to the instance and its first port; `allowed`: who may ask.
 * False: no memory. */
bool mt_compose_stateless(const struct mt_config_instance *instance,
                          const struct mt_config_stations *allowed, struct mt_instance_more *more,
                          struct mt_port_config *first_port);

/** Makes node.server, where there is one.  False with a reason. */
bool mt_compose_server(struct mt_composition *self, char reason[MT_HAL_REASON_SIZE]);
void mt_compose_free_server(struct mt_composition *self);
/** Whether a reload may change this key of the server. */
bool mt_compose_is_server_key(const char *name);
/** Reads the keys that a new configuration wants; false with a reason if it cannot be in force
 * without them. */
bool mt_compose_server_plan(struct mt_composition *self, const struct mt_config *config,
                            char reason[MT_HAL_REASON_SIZE]);
/** Takes over the change of such a key into what is in force; false: no memory. */
bool mt_compose_server_take(struct mt_composition *self, const struct mt_config_change *change,
                            const struct mt_config_server *wanted);
/** All of them have been: serves by what is in force now.  False: no memory. */
bool mt_compose_server_again(struct mt_composition *self, const struct mt_config *config,
                             bool is_changed);
/** False: there is no server. */
bool mt_compose_report_server(const struct mt_composition *self,
                              struct mt_report_server *ret_report);

/** A table, if the configuration has one. */
void mt_compose_latencies(const struct mt_config_port *config, struct mt_latencies *ret_table);

/** Fills the storage of a port of the configuration, whose link is open. */
struct mt_port_more *mt_compose_port_more(struct mt_composition *self, size_t port);

#endif
