/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What an instance and its ports are given beyond what an ordinary clock needs: pointers to the
 * objects with which the extensions work.  Each object is the caller's storage, made ready by the
 * init function of its own header before mt_instance_init(); null is: not in use.  They live at
 * least as long as the instance.
 * Thread rule: that of the instance.
 */
#ifndef MEANTIME_PTP_MORE_H
#define MEANTIME_PTP_MORE_H

#include "meantime/ptp.h"
#include "meantime/ptp_profile.h"
#include "meantime/ptp_security.h"
#include "meantime/ptp_unicast.h"

/** delayMechanism [Table 21]. */
enum mt_delay_mechanism {
    MT_DELAY_E2E = 1,
    MT_DELAY_P2P = 2,
    MT_DELAY_COMMON_P2P = 3, /**< P2P, measured once for all domains of the link */
    MT_DELAY_NONE = 0xFE,
    MT_DELAY_AUTO = 0xFF, /**< E2E until a peer answers, or the other way round; not on the wire */
};

struct mt_port_more {
    enum mt_delay_mechanism delay_mechanism; /**< 0: E2E */
    struct mt_peer *peer;                    /**< ptp_peer.h: for P2P, COMMON_P2P and AUTO */
    bool shares_peer;                        /**< another port owns and drives `peer` */
    struct mt_port_security security;        /**< spp MT_SECURITY_OFF: none */
    struct mt_interval max_delay; /**< with NONE: the delay at most, a part of the error bound */
    struct mt_plain_peer *plain_peer;      /**< ptp_small.h: for P2P where there is little room */
    struct mt_grantor *grantor;            /**< ptp_unicast.h: serves clients one by one */
    struct mt_requester *requester;        /**< ptp_unicast.h: asks transmitters for service */
    struct mt_hybrid *hybrid;              /**< ptp_unicast.h: Delay_Req to the parent alone */
    struct mt_stateless_client *stateless; /**< ptp_stateless.h: follows servers that it asks */
    struct mt_port_profile *profile;       /**< ptp_profile.h */
    struct mt_alternate *alternate;        /**< ptp_alternate.h */
    struct mt_intervals *intervals;        /**< ptp_intervals.h */
    struct mt_interface_rate *interface_rate; /**< ptp_interface_rate.h */
    bool sends_one_step;         /**< Sync carries its own time; its link can do MT_INSERT_ORIGIN */
    uint16_t signaling_sequence; /**< private: of Signaling to everybody [7.3.7] */
};

struct mt_instance_more {
    struct mt_transparent *transparent;     /**< ptp_transparent.h */
    struct mt_security *security;           /**< ptp_security.h */
    struct mt_management *management;       /**< ptp_management.h */
    struct mt_getter *getter;               /**< ptp_small.h: answers GET alone */
    struct mt_stateless_service *stateless; /**< ptp_stateless.h: answers who asks */
    struct mt_profile *profile;             /**< ptp_profile.h */
    struct mt_smpte *smpte;                 /**< ptp_smpte.h */
    uint64_t idle_grantors; /**< private: bits of the ports whose clients want nothing now */
};

/** Room for a list of all extensions and its end. */
#define MT_EXTENSIONS_MAX 24
/** Those of the extensions in instance->features that have anything to do for what instance and
 * ports are given in `more`, which is null nowhere: a list to put in the features' place, so that
 * the others cost nothing.  What is given later stays unseen. */
void mt_ptp_choose_extensions(const struct mt_instance_config *instance,
                              const struct mt_port_config *ports, uint16_t port_count,
                              const struct mt_extension *ret_extensions[MT_EXTENSIONS_MAX]);

#endif
