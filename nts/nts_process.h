/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Processes of their own for what is dangerous: TLS, certificates and strangers' connections.  The
 * daemon starts them before it gives up its privileges, which they do too, and talks to them over a
 * socket, in messages that are whole structs.  A keeper between the two starts a process again
 * that has died, the later the more often it died; what the process knew then has to be said
 * again: it says hello first.
 * Thread rule: before the first thread; the socket belongs to the loop's thread.
 */
#ifndef MEANTIME_NTS_PROCESS_H
#define MEANTIME_NTS_PROCESS_H

#include <sys/types.h>

#include "meantime/nts_record.h"
#include "meantime/ptp_address.h"
#include "nts/nts_gate.h"

#define MT_NTS_PATH_SIZE   256
#define MT_NTS_REASON_SIZE 256

enum mt_nts_message_kind {
    MT_NTS_MESSAGE_HELLO = 1, /**< from a process that has begun */
    MT_NTS_MESSAGE_SAY,       /**< from it: for the log */
    MT_NTS_MESSAGE_COUNTS,    /**< from the server: what it has done since the last time */
    MT_NTS_MESSAGE_TOLD,      /**< from the client */
    MT_NTS_MESSAGE_RING,      /**< to the server */
    MT_NTS_MESSAGE_RULES,     /**< to the server: who may exchange keys */
    MT_NTS_MESSAGE_RELOAD,    /**< to the server: read certificate and key again */
    MT_NTS_MESSAGE_ASK,       /**< to the client */
    MT_NTS_MESSAGE_FAULT,     /**< from the server: what is wrong with its files now; "": nothing */
};

struct mt_nts_said {
    bool is_warning;
    char text[MT_NTS_REASON_SIZE];
};

#define MT_NTS_OTHERS 16 /**< members of a pool */

/** Of several addresses of a name, which to exchange keys with.  Ports are no matter. */
struct mt_nts_choice {
    struct mt_address first; /**< this one, if it is still one of the name's */
    struct mt_address last;  /**< this one only if there is no other, for it was no good */
    uint8_t other_count;
    struct mt_address others[MT_NTS_OTHERS]; /**< none of these: they are asked already */
};

struct mt_nts_question {
    uint32_t source;
    uint32_t attempt; /**< comes back with the answer */
    struct mt_nts_choice choice;
    char host[MT_NTS_NAME_SIZE];
    uint16_t port;
    bool checks_time;          /**< of certificates */
    int64_t utc_s;             /**< what time it is; 0: as the machine has it */
    char ca[MT_NTS_PATH_SIZE]; /**< who is trusted; "": those of the system */
};

struct mt_nts_told {
    uint32_t source;
    uint32_t attempt;
    bool is_good;
    bool was_reached; /**< if it is not: it was TLS, or what was said in it */
    char reason[MT_NTS_REASON_SIZE];
    struct mt_address peer; /**< with whom keys were exchanged, or last tried; NONE: nobody */
    struct mt_nts_keys keys;
    struct mt_address server; /**< where to ask for the time */
    uint8_t count;
    struct mt_nts_cookie cookies[MT_NTS_COOKIES];
};

struct mt_nts_message {
    enum mt_nts_message_kind kind;
    union {
        struct mt_nts_said said;
        struct mt_nts_counts counts;
        struct mt_nts_told told;
        struct mt_nts_ring ring;
        struct mt_nts_rules rules;
        struct mt_nts_question question;
    } value;
};

/** In the process; returns when the socket has ended. */
typedef void mt_nts_work(void *context, int fd);

struct mt_nts_process {
    int fd; /**< non-blocking; -1: there is none */
    pid_t keeper;
};

/** Starts keeper and process; `settle` is called in the keeper first, and gives up privileges.
 * False with errno. */
bool mt_nts_process_start(struct mt_nts_process *self, mt_nts_work *settle, mt_nts_work *work,
                          void *context);
/** The process ends when it finds its socket closed. */
void mt_nts_process_stop(struct mt_nts_process *self);
/** Then: waits until keeper and process have ended, so that the ports that they hold are free, but
 * not for long. */
void mt_nts_process_await(struct mt_nts_process *self);

/** False: it cannot be sent now. */
bool mt_nts_send(int fd, const struct mt_nts_message *message);
/** All of them from `next` on, in as many messages as that takes; false: the others cannot be sent
 * now, and `next` is the first of these. */
bool mt_nts_send_rules(int fd, const struct mt_ntp_server *server, uint16_t *next);
enum mt_nts_received { MT_NTS_RECEIVED, MT_NTS_NOTHING, MT_NTS_ENDED };
/** One message, whose texts end and whose numbers are in range, whatever was sent. */
enum mt_nts_received mt_nts_receive(int fd, struct mt_nts_message *ret_message);
void mt_nts_counts_add(struct mt_nts_counts *self, const struct mt_nts_counts *more);
/** Sends a sentence for the log. */
void mt_nts_say(int fd, bool is_warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
