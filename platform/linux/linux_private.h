/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the files of platform/linux share: the platform's one structure and its links.
 * linux_platform.c opens and closes, linux_wait.c waits, linux_link.c follows the interfaces,
 * linux_socket.c has the sockets, linux_udp.c and linux_packet.c know what differs between
 * transports, linux_netdev.c asks the kernel about interfaces, linux_store.c keeps pages and files,
 * linux_card.c has stamps made by network cards, linux_lock.c keeps others out of them.
 * Thread rule: the loop's thread.
 */
#ifndef MEANTIME_LINUX_PRIVATE_H
#define MEANTIME_LINUX_PRIVATE_H

#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/linux/linux_platform.h"
#include "platform/linux/linux_stamping.h"
#include "platform/linux/linux_tokens.h"

#define MT_LINUX_LINKS      64
#define MT_LINUX_CLOCKS     16
#define MT_LINUX_NTP        64
#define MT_LINUX_PHCS       16
#define MT_LINUX_FRAME_SIZE 2048
#define MT_LINUX_TICK_NS    500000000

#define MT_LINUX_EVENT_PORT   319
#define MT_LINUX_GENERAL_PORT 320

enum mt_socket_role { MT_SOCKET_EVENT, MT_SOCKET_GENERAL };
#define MT_SOCKET_ROLE_COUNT 2

struct mt_linux_socket {
    int fd;           /**< -1: closed */
    uint32_t dropped; /**< the kernel's count when it was last seen */
};

struct mt_linux_link;

/** What differs between transports.  Frames and stamps are in linux_socket.c. */
struct mt_linux_transport {
    enum mt_network network;
    int family;                              /**< of the sockets, which are SOCK_DGRAM */
    const char *names[MT_SOCKET_ROLE_COUNT]; /**< of the sockets, in sentences */
    /** The addresses of MT_LINK_PRIMARY and MT_LINK_PEER. */
    void (*groups)(const struct mt_link_request *request, struct mt_address *ret_primary,
                   struct mt_address *ret_peer);
    /** Binds a socket to the interface and joins the groups.  What could not be done, with errno;
     * null: all is well. */
    const char *(*prepare)(int fd, const struct mt_linux_link *link, enum mt_socket_role role);
    /** The sender of what was received; `ret_address` is untouched if it is not known. */
    void (*sender)(const struct sockaddr_storage *from, struct mt_address *ret_address);
    bool (*transmit)(const struct mt_linux_link *link, const struct mt_link_frame *frame,
                     const struct mt_address *to);
    /** Writes the receiver for sendmmsg; its length.  Null: its frames are sent one by one. */
    socklen_t (*name)(const struct mt_linux_link *link, const struct mt_address *to,
                      struct sockaddr_storage *ret_name);
    size_t tail; /**< octets, zeros, that follow an event message; at most 2 */
};

struct mt_linux_outbox;
struct mt_linux_ntp;

/** Of an interface; network NONE: it has none, or it is not known. */
struct mt_netdev_addresses {
    struct mt_address protocol; /**< in the network that the link uses */
    struct mt_address physical;
};

struct mt_linux_link {
    struct mt_hal_link hal;
    struct mt_linux *platform;
    const struct mt_linux_transport *transport;
    struct mt_link_request request; /**< `interface` is the member of this name */
    struct mt_address primary;
    struct mt_address peer;
    char interface[IFNAMSIZ]; /**< as configured */
    char present[IFNAMSIZ];   /**< its name now: a renamed interface is followed */
    bool has_interface;       /**< it exists and the sockets are open */
    bool is_missing;          /**< it did not exist when it was looked for last */
    int ifindex;              /**< 0: the system gives no numbers */
    struct mt_linux_socket sockets[MT_SOCKET_ROLE_COUNT];
    struct mt_tokens tokens;
    struct mt_linux_outbox *outbox; /**< null: frames are sent one by one */
    uint16_t counter;          /**< what stamps its packets: 0 the kernel, else a hardware clock */
    uint32_t speed_mbit;       /**< of the link, or of the card of a bond; 0: not known */
    char stamped_by[IFNAMSIZ]; /**< the card that does it, by its name then; "": none */
    char stamping[MT_HAL_REASON_SIZE]; /**< who stamps, and why not the card */
    uint32_t next_id;                  /**< the OPT_ID of the next event frame */
    unsigned unstamped;                /**< transmit stamps given up since one came */
    unsigned unstamped_in;             /**< event messages that came without since one had one */
    bool has_stamped;                  /**< one has come since the sockets were opened */
    bool has_stamped_in;               /**< likewise, with a message */
    bool is_card_useless;              /**< it never stamped what was sent */
    const char *owner;                 /**< the clock that is its own, by name; null: not known */
    int bound_clock;                   /**< the virtual clock that stamps for it; -1: none */
    uint16_t told_counter;
    char told_name[IFNAMSIZ];
    uint32_t told_speed;
    bool is_up;
    bool is_told; /**< `told_up` was reported */
    bool told_up;
    struct mt_netdev_addresses own; /**< while it is up */
    struct mt_netdev_addresses told_own;
    struct mt_mono checked;  /**< when the interface was looked at last */
    struct mt_mono check_at; /**< when to look again */
    char reason[MT_HAL_REASON_SIZE];
};

enum mt_pollee_kind {
    MT_POLLEE_NETLINK,
    MT_POLLEE_SOCKET,
    MT_POLLEE_WATCH,
    MT_POLLEE_LOCAL,
    MT_POLLEE_NTP,
    MT_POLLEE_REFCLOCK,
    MT_POLLEE_LISTENER
};

/** What a member of the poll set belongs to. */
struct mt_pollee {
    enum mt_pollee_kind kind;
    uint16_t link; /**< its index; of the local link: which of its sockets; NTP: in `ntp` */
    enum mt_socket_role role;
};

struct mt_linux_watch {
    int fd;
    short events;
    mt_linux_ready *ready;
    void *context;
};

struct mt_linux_wait {
    struct mt_hal_wait hal;
    struct mt_linux *platform;
    struct pollfd *set;
    struct mt_pollee *pollees;
    struct mt_linux_watch *watches;
    size_t size;
    size_t capacity;
    size_t watch_count;
    struct mt_sleep_watch sleep;
    size_t turn; /**< slot after the one that was served last: two for each member of the set */
    bool is_set_old;
    struct mt_mono tick_at;
    void (*regular)(void *context);
    void *regular_context;
    uint8_t frame[MT_LINUX_FRAME_SIZE];
};

struct mt_linux_entropy {
    struct mt_hal_entropy hal;
    uint64_t seed;
};

struct mt_linux_store;
struct mt_linux_listener;

/** Virtual clocks that we had the kernel make. */
struct mt_linux_vclocks {
    int physical;
    int before;     /**< how many there were ... */
    int made;       /**< ... and are now */
    uint64_t place; /**< of the card, for its number may be another one's one day */
    int fd;         /**< of the kernel's count */
};

/** A steered hardware clock that was named by its interface, whose card may change. */
struct mt_linux_moving {
    struct mt_hal_clock *clock;
    struct mt_phc *next; /**< to which it goes as soon as its rate is known; null: it may stay */
    char interface[IFNAMSIZ];
};

struct mt_linux {
    struct mt_hal_provider provider;
    struct mt_linux_wait wait;
    struct mt_linux_entropy entropy;
    struct mt_linux_store *store;
    struct mt_hal_clock *clocks[MT_LINUX_CLOCKS];
    size_t clock_count;
    struct mt_linux_link *links[MT_LINUX_LINKS]; /**< by index; null: not opened */
    uint16_t link_count;                         /**< one more than the highest index */
    struct mt_linux_ntp *ntp[MT_LINUX_NTP];      /**< links to NTP servers */
    size_t ntp_count;
    struct mt_os_time time;             /**< the kernel's clocks and our hardware clocks */
    struct mt_phc *phcs[MT_LINUX_PHCS]; /**< those in use */
    size_t phc_count;
    struct mt_linux_vclocks vclocks[MT_LINUX_PHCS];
    size_t vclock_count;
    struct mt_linux_moving moving[MT_LINUX_CLOCKS];
    size_t moving_count;
    struct mt_stamping stamping;
    struct mt_linux_local *local;        /**< the management sockets; null: none */
    struct mt_linux_refclock *refclocks; /**< the last opened first */
    struct mt_linux_listener *listeners; /**< likewise */
    int ioctl_fd;                        /**< for questions about interfaces */
    int netlink_fd;                      /**< -1: cannot be had; then we ask more often */
};

/* ---- linux_platform.c ------------------------------------------------------------------- */

struct mt_mono mt_linux_now(void);
/** Writes a sentence; what does not fit is cut off. */
__attribute__((format(printf, 2, 3))) void mt_linux_say(char reason[MT_HAL_REASON_SIZE],
                                                        const char *format, ...);
/** Non-blocking and closed on exec; false with errno. */
bool mt_linux_set_nonblocking(int fd);

/* ---- linux_wait.c ----------------------------------------------------------------------- */

void mt_linux_wait_init(struct mt_linux *self);
void mt_linux_wait_free(struct mt_linux *self);

/* ---- linux_link.c ----------------------------------------------------------------------- */

struct mt_hal_link *mt_linux_link_open(struct mt_linux *self, uint16_t index,
                                       const struct mt_link_request *request,
                                       char reason[MT_HAL_REASON_SIZE]);
void mt_linux_link_close(struct mt_linux_link *self);
/** Looks what has become of the interface, and opens the sockets or closes them. */
void mt_linux_link_check(struct mt_linux_link *self, struct mt_mono now);
/** Another link of ours has sockets on the same network of the same interface. */
bool mt_linux_has_twin(const struct mt_linux_link *self);
/** Something went wrong on it: looks again soon, half a second after the last look. */
void mt_linux_link_suspect(struct mt_linux_link *self);
/** Takes one message off the netlink socket and marks the links that it may concern. */
void mt_linux_netlink_ready(struct mt_linux *self);

/* ---- linux_socket.c ---------------------------------------------------------------------- */

bool mt_linux_sockets_open(struct mt_linux_link *link, char reason[MT_HAL_REASON_SIZE]);
void mt_linux_sockets_close(struct mt_linux_link *link);
/** Receives at most one frame; `ret_input` says NONE if there was none. */
void mt_linux_receive(struct mt_linux_link *link, enum mt_socket_role role, uint8_t *buffer,
                      struct mt_input *ret_input);
/** Takes at most one transmit stamp off the error queue. */
void mt_linux_take_stamp(struct mt_linux_link *link, enum mt_socket_role role, uint8_t *buffer,
                         struct mt_input *ret_input);
extern const struct mt_hal_link_ops mt_linux_link_ops;
/** 319 or 320. */
uint16_t mt_linux_port_of(enum mt_socket_role role);
bool mt_linux_set_int(int fd, int level, int option, int value);

/* ---- linux_outbox.c ---------------------------------------------------------------------- */

#define MT_LINUX_OUTBOX 64
/** Null if the link has not many receivers, or there is no memory. */
struct mt_linux_outbox *mt_linux_outbox_new(const struct mt_linux_link *link);
/** True: the frame waits, and counts as sent.  False: it does not, and those that waited have
 * left. */
bool mt_linux_outbox_put(struct mt_linux_link *link, const struct mt_link_frame *frame,
                         const struct mt_address *to);
/** All that wait leave. */
void mt_linux_outbox_flush(struct mt_linux_link *link);

/* ---- linux_card.c ------------------------------------------------------------------------ */

void mt_linux_cards_init(struct mt_linux *self);
void mt_linux_cards_free(struct mt_linux *self);
/** The hardware clock of a request: /dev/ptpN, or that of an interface.  Null with a reason. */
struct mt_phc *mt_linux_phc_named(struct mt_linux *self, const char *device,
                                  char reason[MT_HAL_REASON_SIZE]);
/** A virtual clock of that one, or that one if it is virtual. */
struct mt_phc *mt_linux_phc_virtual(struct mt_linux *self, const char *device,
                                    char reason[MT_HAL_REASON_SIZE]);
/** The one of that device file that is open; null: none is. */
struct mt_phc *mt_linux_phc_of(const struct mt_linux *self, const char *path);
/** Has the interface's card stamp what is wanted (MT_STAMPING_*) until mt_stamping_end(), and opens
 * its clock.  Null with a reason, in words that follow "in software, for ". */
struct mt_phc *mt_linux_card_begin(struct mt_linux *self, const char *interface, unsigned wanted,
                                   char reason[MT_HAL_REASON_SIZE]);
/** Chooses who stamps the link's packets, and has the card do it.  False with a reason if the
 * request insists on hardware that cannot be had. */
bool mt_linux_card_open(struct mt_linux_link *link, char reason[MT_HAL_REASON_SIZE]);
void mt_linux_card_close(struct mt_linux_link *link);
/** Another card stamps what the link carries than did when its sockets were opened. */
bool mt_linux_card_has_changed(const struct mt_linux_link *link);
/** Keeps readings of all hardware clocks at hand, of those of a bond's other members as well. */
void mt_linux_cards_look(struct mt_linux *self);
/** A clock that was opened by the name of an interface: it goes with that interface's card. */
void mt_linux_card_steers(struct mt_linux *self, struct mt_hal_clock *clock, const char *device);
/** A transmit stamp has not come: if none ever did, the kernel stamps from now on, where the
 * configuration leaves that open; if they did, the card is told again to stamp. */
void mt_linux_card_missed(struct mt_linux_link *link);
/** A message of PTP has come, with a stamp or without.  The card is told again to stamp event
 * messages when it did so before and does not any more. */
void mt_linux_card_received(struct mt_linux_link *link, const uint8_t *bytes, size_t length,
                            bool has_stamp);

/* ---- linux_udp.c, linux_packet.c ----------------------------------------------------------- */

extern const struct mt_linux_transport mt_linux_udp4;
extern const struct mt_linux_transport mt_linux_udp6;
extern const struct mt_linux_transport mt_linux_packet;

/* ---- linux_management.c ------------------------------------------------------------------ */

struct mt_linux_local;
#define MT_LINUX_LOCAL_SOCKETS 4

/** Opens the sockets: ptp-rw and ptp-ro in the folder request->interface, and the pair at
 * request->local_socket if that is not null. */
struct mt_hal_link *mt_local_open(struct mt_linux *platform, uint16_t index,
                                  const struct mt_link_request *request,
                                  char reason[MT_HAL_REASON_SIZE]);
void mt_local_close(struct mt_linux_local *self);
/** -1: this one is not open. */
int mt_local_descriptor(const struct mt_linux_local *self, unsigned socket);
/** As mt_udp_receive(). */
void mt_local_receive(struct mt_linux_local *self, unsigned socket, uint8_t *buffer,
                      struct mt_input *ret_input);

/* ---- linux_ntp.c ------------------------------------------------------------------------ */

struct mt_hal_link *mt_linux_ntp_open(struct mt_linux *platform, uint16_t index,
                                      const struct mt_link_request *request,
                                      char reason[MT_HAL_REASON_SIZE]);
void mt_linux_ntp_close(struct mt_linux *platform, uint16_t index);
void mt_linux_ntp_close_all(struct mt_linux *platform);
/** As mt_linux_may_set_cards(). */
bool mt_linux_ntp_may_set_cards(const struct mt_linux *platform);
/** -1: nothing has been asked yet, or it could not be. */
int mt_linux_ntp_descriptor(const struct mt_linux_ntp *self);
uint16_t mt_linux_ntp_index(const struct mt_linux_ntp *self);
/** Why a link does not work; "": it does, or it is no link to an NTP server. */
const char *mt_linux_ntp_reason(const struct mt_linux *platform, uint16_t index);
/** As those of linux_socket.c. */
void mt_linux_ntp_receive(struct mt_linux_ntp *self, uint8_t *buffer, struct mt_input *ret_input);
void mt_linux_ntp_take_stamp(struct mt_linux_ntp *self, uint8_t *buffer,
                             struct mt_input *ret_input);
/** Gives up a stamp when it is time; otherwise says when that will be. */
bool mt_linux_ntp_take_due(struct mt_linux_ntp *self, struct mt_input *ret_input,
                           struct mt_mono *deadline);

/** Binds a local socket to its path, in the place of one that nobody reads any more; false with
 * errno. */
struct sockaddr_un;
bool mt_linux_bind_local(int fd, const struct sockaddr_un *address);

/* ---- linux_refclock.c ------------------------------------------------------------------- */

struct mt_linux_refclock;

/** Opens a reference clock of another program, or an export to one. */
struct mt_hal_link *mt_linux_refclock_open(struct mt_linux *platform, uint16_t index,
                                           const struct mt_link_request *request,
                                           char reason[MT_HAL_REASON_SIZE]);
void mt_linux_refclocks_close(struct mt_linux *platform);
/** Looks at shared memory whose time has come; false: nothing new. */
bool mt_linux_refclock_due(struct mt_linux *platform, struct mt_input *ret_input,
                           struct mt_mono *deadline);

/** A socket that is heard, and its link. */
struct mt_linux_heard {
    int fd;
    uint16_t index;
};
/** Writes as many of them as there is room for; how many there are. */
size_t mt_linux_refclock_descriptors(const struct mt_linux *platform,
                                     struct mt_linux_heard *ret_heard, size_t room);
/** Takes one datagram from that link's socket. */
void mt_linux_refclock_receive(struct mt_linux *platform, uint16_t index, uint8_t *buffer,
                               struct mt_input *ret_input);

/* ---- linux_listen.c ---------------------------------------------------------------------- */

/** Opens a link for pulses or a GNSS receiver. */
struct mt_hal_link *mt_linux_listen(struct mt_linux *platform, uint16_t index,
                                    const struct mt_link_request *request,
                                    char reason[MT_HAL_REASON_SIZE]);
size_t mt_linux_listeners_count(const struct mt_linux *platform);
typedef void mt_linux_listener_put(struct mt_linux_wait *wait, int fd, short events,
                                   struct mt_pollee pollee);
/** Names the descriptor of each. */
void mt_linux_listeners_put(struct mt_linux *platform, mt_linux_listener_put *put);
void mt_linux_listeners_receive(struct mt_linux *platform, uint16_t index, uint8_t *buffer,
                                struct mt_input *ret_input);
/** Something that one of them has to say, and when the next one wants to be asked. */
bool mt_linux_listeners_due(struct mt_linux *platform, struct mt_input *ret_input,
                            struct mt_mono *deadline);
/** As mt_linux_ntp_reason(). */
const char *mt_linux_listeners_reason(const struct mt_linux *platform, uint16_t index);
void mt_linux_listeners_close(struct mt_linux *platform);

/* ---- linux_netdev.c --------------------------------------------------------------------- */

enum mt_netdev_state { MT_NETDEV_MISSING, MT_NETDEV_DOWN, MT_NETDEV_NO_ADDRESS, MT_NETDEV_UP };

/** False if there is no such interface; the number is 0 where the system gives none. */
bool mt_netdev_find(int ioctl_fd, const char *name, int *ret_ifindex);
/** The present name of an interface; false if it is gone. */
bool mt_netdev_name(int ioctl_fd, int ifindex, char ret_name[IFNAMSIZ]);
/** Whether it can carry this network's packets. */
enum mt_netdev_state mt_netdev_state(int ioctl_fd, const char *name, enum mt_network network);
/** As own_addresses of struct mt_hal_provider_ops. */
size_t mt_netdev_own_addresses(const char *interface, const struct mt_address *other,
                               struct mt_address *ret_addresses, size_t max);
/** Over IPv6 with `is_local` the address within the link, else one that routers know if there is
 * one. */
void mt_netdev_addresses(int ioctl_fd, const char *name, enum mt_network network, bool is_local,
                         struct mt_netdev_addresses *ret_addresses);
/** Of the link, in Mbit/s; 0: not known. */
uint32_t mt_netdev_speed_mbit(int ioctl_fd, const char *name);
bool mt_netdev_identity(int ioctl_fd, const char *name, struct mt_clock_identity *ret_identity);
/** A socket that speaks up when an interface or an address changes; -1 if it cannot be had. */
int mt_netdev_listen(void);

/* ---- linux_store.c ---------------------------------------------------------------------- */

struct mt_linux_store *mt_linux_store_open(const struct mt_linux_options *options,
                                           char reason[MT_HAL_REASON_SIZE]);
/** Makes room for the next clock: its page and the name of its drift file. */
bool mt_linux_store_add(struct mt_linux_store *self, const char *name,
                        char reason[MT_HAL_REASON_SIZE]);
/** From now on what was made stays after the end, and the input log replaces what its file held.
 * Without it, closing takes back what was made. */
void mt_linux_store_keep(struct mt_linux_store *self);
/** Writes out what the input log still holds back. */
void mt_linux_store_flush(struct mt_linux_store *self);
/** As mt_linux_log_problem(). */
const char *mt_linux_store_log_problem(const struct mt_linux_store *self);
struct mt_hal_store *mt_linux_store_table(struct mt_linux_store *self);
void mt_linux_store_close(struct mt_linux_store *self);

/* ---- linux_lock.c ----------------------------------------------------------------------- */

/** A descriptor of the folder's lock; -1 with a reason if another daemon has it. */
int mt_linux_lock(const char *folder, char reason[MT_HAL_REASON_SIZE]);
/** Removes the lock's file, then lets go of it. */
void mt_linux_unlock(const char *folder, int fd);
/** Whether the open file still has this name. */
bool mt_linux_is_at(int fd, const char *path);

#endif
