/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The messages of NTS key exchange [RFC 8915 4]: what a client and a server say to each other once
 * TLS is up.  A message is a run of records and ends with the one that says so.  For the processes
 * that exchange keys, which collect octets until mt_nts_message_length() is satisfied.
 * Nothing here is kept or allocated; views point into the caller's octets.
 * Thread rule: pure functions; any thread.
 */
#ifndef MEANTIME_NTS_RECORD_H
#define MEANTIME_NTS_RECORD_H

#include "meantime/nts.h"

#define MT_NTS_KE_PORT          4460
#define MT_NTS_KE_ALPN          "ntske/1"
#define MT_NTS_KE_EXPORTER      "EXPORTER-network-time-security"
#define MT_NTS_CONTEXT_SIZE     5
#define MT_NTS_REQUEST_MAX      1024 /**< octets that a server takes [RFC 8915 4] */
#define MT_NTS_RESPONSE_MAX     65536
#define MT_NTS_RESPONSE_OWN_MAX 2048 /**< octets of our own responses */
#define MT_NTS_NAME_SIZE        256

enum mt_nts_record_type {
    MT_NTS_RECORD_END,
    MT_NTS_RECORD_NEXT_PROTOCOL,
    MT_NTS_RECORD_ERROR,
    MT_NTS_RECORD_WARNING,
    MT_NTS_RECORD_AEAD,
    MT_NTS_RECORD_COOKIE,
    MT_NTS_RECORD_SERVER,
    MT_NTS_RECORD_PORT,
};

enum mt_nts_error {
    MT_NTS_ERROR_UNKNOWN_CRITICAL,
    MT_NTS_ERROR_BAD_REQUEST,
    MT_NTS_ERROR_INTERNAL,
};

struct mt_nts_record {
    bool is_critical; /**< who does not know it must not go on */
    uint16_t type;    /**< enum mt_nts_record_type, or one that is not known here */
    uint16_t length;
    const uint8_t *body;
};

/** Steps over a record; false: there is no whole one. */
bool mt_nts_record_next(const uint8_t **at, size_t *left, struct mt_nts_record *ret_record);
/** Returns the octets written; 0: no room. */
size_t mt_nts_record_write(const struct mt_nts_record *record, uint8_t *octets, size_t capacity);
/** The octets of the message that begins here, up to its end; 0: more has to come. */
size_t mt_nts_message_length(const uint8_t *octets, size_t length);

/** What the keys of an association are exported from TLS with. */
void mt_nts_exporter_context(enum mt_aead aead, bool is_s2c,
                             uint8_t ret_context[MT_NTS_CONTEXT_SIZE]);

/* ---- client ---------------------------------------------------------------------------------- */

/** Asks for NTP version 4 with one of `count` algorithms, the best one first. */
size_t mt_nts_request_write(const enum mt_aead *aeads, size_t count, uint8_t *octets,
                            size_t capacity);

enum mt_nts_response_verdict {
    MT_NTS_RESPONSE_GOOD,
    MT_NTS_RESPONSE_ERROR,    /**< the server says so: `error` */
    MT_NTS_RESPONSE_PROTOCOL, /**< it does not offer NTP */
    MT_NTS_RESPONSE_AEAD,     /**< it has none of our algorithms */
    MT_NTS_RESPONSE_COOKIES,  /**< it gave no cookie that can be used */
    MT_NTS_RESPONSE_BROKEN,   /**< this is no response, or one that we do not understand */
};

struct mt_nts_response {
    uint16_t error; /**< enum mt_nts_error, or another */
    enum mt_aead aead;
    char server[MT_NTS_NAME_SIZE]; /**< where to ask for the time; "": where the keys came from */
    uint16_t port;                 /**< 123 if nothing else is said */
    uint8_t count;
    struct mt_nts_cookie cookies[MT_NTS_COOKIES];
};

/** `octets` are a whole message.  Sets all of *ret_response. */
enum mt_nts_response_verdict mt_nts_response_read(const uint8_t *octets, size_t length,
                                                  const enum mt_aead *aeads, size_t count,
                                                  struct mt_nts_response *ret_response);

/* ---- server ---------------------------------------------------------------------------------- */

struct mt_nts_request {
    bool has_error;
    uint16_t error; /**< enum mt_nts_error */
    bool wants_ntp;
    bool has_aead;
    enum mt_aead aead; /**< the first of the client's that is one of ours */
};

/** What became of connections for key exchange, at a server. */
struct mt_nts_counts {
    uint64_t served;
    uint64_t failed;  /**< no TLS, no good request, or too slow */
    uint64_t refused; /**< too many at once */
    uint64_t limited; /**< too many in a second, of all or of that address */
    uint64_t denied;  /**< that address is not served */
};

/** `octets` are a whole message. */
void mt_nts_request_read(const uint8_t *octets, size_t length, const enum mt_aead *aeads,
                         size_t count, struct mt_nts_request *ret_request);

struct mt_nts_offer {
    const char *server; /**< null: this one */
    uint16_t port;      /**< 123: nothing is said of it */
    uint8_t count;
    const struct mt_nts_cookie *cookies;
};

/** The response: an error, or what is offered.  0: no room. */
size_t mt_nts_response_write(const struct mt_nts_request *request, const struct mt_nts_offer *offer,
                             uint8_t *octets, size_t capacity);
/** A response that says nothing but this. */
size_t mt_nts_error_write(enum mt_nts_error error, uint8_t *octets, size_t capacity);

#endif
