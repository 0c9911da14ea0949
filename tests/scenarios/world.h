/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The world of a scenario: one real PTP instance, simple transmitters and receivers on links with
 * a delay, and virtual time.  Each frame that reaches or leaves the instance has a number; one of
 * them can be lost, doubled, held back behind the next one or robbed of its timestamp.  Watchers
 * look at everything that the instance does and end the program when a rule is broken.
 */
#ifndef MEANTIME_TESTS_SCENARIO_WORLD_H
#define MEANTIME_TESTS_SCENARIO_WORLD_H

#include "meantime/ptp_peer.h"
#include "words.h"

#define WORLD_PORTS  4
#define WORLD_PEERS  12
#define WORLD_OCTETS 512
#define WORLD_QUEUE  512
#define WORLD_MEMORY 128
#define WORLD_FRAMES 2048
#define WORLD_START  INT64_C(1000000000) /* mono time of the script's 0 s */
#define WORLD_EPOCH  INT64_C(1000000)    /* s that true time is ahead of mono */
#define WORLD_OWN_ID 8

enum mischief { LOST, DOUBLED, DELAYED, WITHOUT_STAMP };
#define MISCHIEF_COUNT 4

struct frame {
    size_t length;
    uint8_t octets[WORLD_OCTETS];
};

enum item_kind { ITEM_NONE, ITEM_TO_INSTANCE, ITEM_TO_PEER, ITEM_TX_DONE };

struct item {
    enum item_kind kind;
    int64_t at_ns;
    uint64_t order;
    uint16_t port; /* or index of the peer */
    uint32_t token;
    bool has_stamp;
    uint8_t from;          /* number of the station that sent it */
    struct mt_stamp stamp; /* of the departure, for ITEM_TX_DONE */
    struct frame frame;
};

struct peer {
    char name[16];
    bool is_client;
    bool asks_by_unicast;
    bool is_running;
    uint16_t segment;
    struct mt_port_identity identity;
    uint8_t domain;
    struct mt_ptp_announce announce;
    uint16_t flags;
    int8_t claimed_announce;                  /* logMessageInterval in Announces */
    int8_t log_delay_resp;                    /* and in Delay_Resps */
    int64_t announce_ns, sync_ns, request_ns; /* intervals; 0: off */
    bool is_one_step;
    bool sends_follow_up_first;
    bool answers;
    bool signs;       /* with the chain of secured.c */
    int64_t delay_ns; /* to the instance */
    int64_t back_ns;  /* from it */
    int64_t clock_ns; /* its clock against true time */
    uint16_t pad;     /* octets behind the message */
    uint8_t tlvs[128];
    size_t tlvs_length;
    uint16_t announce_sequence, sync_sequence, request_sequence;
    int64_t next_announce_ns, next_sync_ns, next_request_ns;
    /* what a client has measured of the instance */
    int64_t sync_arrival_ns, sync_correction_q16;
    uint16_t synced_sequence;
    int64_t forward_ns, reverse_ns, request_departure_ns;
    unsigned answered;
    /* Pdelay: it answers and, if that is not 0, asks */
    bool answers_pdelay;
    int64_t pdelay_ns, next_pdelay_ns, turn_ns;
    uint16_t pdelay_sequence;
    int64_t pdelay_departure_ns, pdelay_arrival_ns, pdelay_received_ns, link_ns;
};

struct filter {
    enum mischief mischief;
    enum mt_ptp_type type;
    uint16_t port; /* 0: any */
    unsigned left;
};

/* What must never happen twice. */
struct memory {
    uint64_t keys[WORLD_MEMORY];
    unsigned next;
};

struct world {
    struct mt_instance instance;
    struct mt_port ports[WORLD_PORTS];
    struct mt_instance_config config;
    struct mt_port_config port_configs[WORLD_PORTS];
    struct mt_port_identity acceptable[WORLD_PORTS][4];
    uint16_t segments[WORLD_PORTS];
    struct mt_path path;
    struct mt_port_more more[WORLD_PORTS];
    struct mt_peer links[WORLD_PORTS];
    struct mt_peer_config link_configs[WORLD_PORTS];
    uint16_t port_count;
    bool is_started;
    int64_t now_ns;
    int64_t clock_ns;                             /* the instance's clock against true time */
    const struct mt_instance_more *more_instance; /* of a special one, or null */
    uint8_t sender;                               /* number of the station that sends now */
    int64_t residence_ns; /* of the frames of others that pass a transparent clock */

    struct item queue[WORLD_QUEUE];
    unsigned queue_end; /* behind the last place in use */
    uint64_t order;
    struct peer peers[WORLD_PEERS];
    unsigned peer_count;

    /* what is done to frames */
    struct filter filters[8];
    int perturbed; /* number of the frame, -1: none */
    enum mischief mischief;
    struct item held;
    bool was_held_sent;
    int64_t stamp_latency_ns;
    bool loses_stamps;

    /* a discipline in little: locks after so many samples of one parent */
    bool has_discipline;
    unsigned locks_after;
    unsigned samples_of_parent;
    int64_t bound_ns;

    /* what was seen */
    int frames;
    bool is_event[WORLD_FRAMES]; /* of each frame, whether it has a timestamp to lose */
    struct {
        unsigned sent[16];
        uint16_t visited; /* bits of states, since MARK */
        struct frame newest_announce;
        int64_t forward_ns, reverse_ns, offset_ns;
    } seen[WORLD_PORTS];
    struct memory samples, answers, syncs, follow_ups, pdelay_answers, pdelay_follow_ups;
    bool is_traced;
    const struct words *line; /* that is being carried out */
};

void world_init(struct world *self);
/** mt_instance_init() and links up, at the first line that needs it. */
void world_start(struct world *self);
void world_run(struct world *self, int64_t until_ns);
bool world_command(struct world *self, const struct mt_command *command);
void world_mark(struct world *self);
/** Seconds of the script. */
double world_s(const struct world *self);
_Noreturn void world_die(const struct world *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** A frame sets out to `port` of the instance and arrives at `at_ns`. */
void world_to_port(struct world *self, uint16_t port, const struct frame *frame, int64_t at_ns,
                   bool has_stamp);
struct mt_clock_identity world_identity(uint8_t id);

/* ---- peers.c --------------------------------------------------------------------------------- */

void peer_init(struct peer *self, const char *name, bool is_client);
void peer_configure(struct world *world, struct peer *self, const struct words *words);
struct peer *peer_find(struct world *world, const char *name);
/** When the peer has something to do next; INT64_MAX: never. */
int64_t peer_deadline(const struct peer *self);
void peer_tick(struct world *world, struct peer *self);
void peer_receive(struct world *world, struct peer *self, const struct frame *frame, int64_t at_ns);
/** A single message as words describe it, sent to a port. */
void peer_inject(struct world *world, const struct words *words);

#endif
