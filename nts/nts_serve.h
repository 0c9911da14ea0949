/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The server of NTS key exchange: a process that has sockets to listen on, a certificate and its
 * key, and gets the keys of cookies from the daemon.  Strangers may connect, so everything is
 * limited: connections, those of one address, how many in a second, their time and their octets.
 * Thread rule: a process of its own.
 */
#ifndef MEANTIME_NTS_SERVE_H
#define MEANTIME_NTS_SERVE_H

#include "nts/nts_files.h"
#include "nts/nts_gate.h"

#define MT_NTS_LISTENERS   8
#define MT_NTS_CONNECTIONS 64
#define MT_NTS_OF_ADDRESS  8 /**< connections of one address; of an IPv6 network, /64 */
#define MT_NTS_PATIENCE_S  5 /**< for the whole of a connection */

struct mt_nts_serve_options {
    int listeners[MT_NTS_LISTENERS];
    unsigned listener_count;
    char certificate[MT_NTS_PATH_SIZE]; /**< with the chain behind it; PEM */
    char key[MT_NTS_PATH_SIZE];
    /** What the files held when it could still be read; with no octets: they are read. */
    struct mt_nts_file certificate_now;
    struct mt_nts_file key_now;
    char server[MT_NTS_NAME_SIZE]; /**< where to ask for the time; "": here */
    uint16_t port;                 /**< of the NTP server */
    unsigned patience_s;
    unsigned look_s;                   /**< how often the files are looked at; 0: by its own idea */
    const struct mt_ntp_server *rules; /**< who may exchange keys; null: everybody */
    uint32_t rate;                     /**< how many in a second */
};

/** A socket that listens, on any address if `address` is null; -1 with errno. */
int mt_nts_listen(const struct mt_address *address, bool is_v6, uint16_t port);

/** mt_nts_work; `options` is a struct mt_nts_serve_options.  Serves until the socket `fd` ends. */
void mt_nts_serve(void *options, int fd);

#endif
