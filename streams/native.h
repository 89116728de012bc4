/* What Python and native.c share. cffi reads this file too, so it holds plain declarations only. */

#define NATIVE_VERSION 4

#define SLOTS 8
#define PLACES 64
#define FILLED_AT_ONCE 128
#define ITEM_BYTES 1600
#define SLOT_BYTES 1744
#define CONTROL_BYTES 32
#define NAME_BYTES 28
#define LOG_ENTRIES 1024
#define POINTS 32
#define STATUSES 2048
#define BATCH 64
#define DATAGRAM_BYTES 2048
#define KNOWN_SOURCES 8
#define TABLE_PLACES 16384
#define BLOCK_BYTES 12
#define MAX_PACKET 1500

/* -- copies of one source's packets for all its viewers */

/* One gathered packet as the viewers of one layout see it: `bytes` from its extensions on (the first 12 are the
   viewer's own). A place of 0 means that the picture has no such number, or that nobody's differs. */
struct item {
    uint16_t size;
    uint8_t first;
    uint8_t marker;
    uint32_t timestamp;
    int64_t number;
    uint16_t picture_at;
    uint16_t picture;
    uint16_t base_at;
    uint8_t base;
    uint8_t is_wide;
    uint8_t bytes[ITEM_BYTES];
};

struct sent {
    double at;
    uint32_t octets;
    uint16_t number;
    uint16_t packets;
};

/* What was sent to one viewer when: a ring of flushes, `first` the oldest. `number` is the last transport-wide one. */
struct sent_log {
    uint16_t number;
    uint16_t first;
    uint16_t count;
    int16_t has_reference;
    int64_t reference;
    struct sent entries[LOG_ENTRIES];
};

struct member {
    void *session;
    struct sent_log *log;
    int64_t by_sequence;
    uint32_t by_timestamp;
    uint32_t ssrc;
    uint16_t by_picture;
    uint8_t by_base;
    uint8_t is_shifted;
    uint8_t payload_type;
    uint8_t name_bytes;
    uint16_t group;
    uint8_t name[NAME_BYTES];
};

struct outcome {
    uint32_t packets;
    uint32_t octets;
    uint32_t dropped;
    uint32_t errors;
    uint32_t calls;
    int32_t cannot_segment;
};

size_t tray_bytes(void);
void tray_prepare(void *tray);
void send_copies(void *tray, int descriptor, const struct member *members, uint32_t total, const struct item *items,
                 uint32_t count, double now, struct outcome *outcome);

/* -- what a viewer's feedback says of its road */

/* While a train is awaited feedback isn't read at the port, since each flush counts. Nothing heard yet: heard_at is minus infinity; nothing queues: queued_since is infinity. A point is the arrival of a
   feedback's last packet, with all bytes that had come by then. */
struct road {
    double heard_at;
    double answered_at;
    double base;
    double base_next;
    double base_until;
    double queue_seconds;
    double queued_since;
    double queued_until;
    int64_t received;
    int64_t lost;
    int64_t octets;
    int64_t feedbacks;
    uint32_t first_point;
    uint32_t points;
    uint32_t awaits_train;
    double point_at[POINTS];
    int64_t point_octets[POINTS];
};

struct delay {
    double sent_at;
    double seconds;
};

void note_sent(struct sent_log *log, uint16_t packets, uint32_t octets, double at);
int take_feedback(struct sent_log *log, struct road *road, const uint8_t *plain, uint32_t length, double now,
                  struct delay *delays, uint32_t *delay_count);

/* -- what arrives at the port */

/* A session as far as its datagrams are opened here: `session` is NULL unless it is open. Sources that aren't known
   yet are Python's to judge. Feedback is read here where there are a log and a road. */
struct peer {
    void *session;
    struct sent_log *log;
    struct road *road;
    uint32_t number;
    uint32_t known;
    uint32_t sources[KNOWN_SOURCES];
};

/* From an address (IPv4 and port) to its peer; a power of two of places, never more than half full. */
struct table {
    uint64_t salt;
    uint32_t count;
    uint64_t keys[TABLE_PLACES];
    struct peer *peers[TABLE_PLACES];
};

int table_put(struct table *table, uint64_t address, struct peer *peer);
struct peer *table_find(const struct table *table, uint64_t address);
void table_remove(struct table *table, uint64_t address);

/* What is left to do with a datagram. */
#define RAW 0
#define OPENED_RTP 1
#define OPENED_RTCP 2
#define REFUSED_RTP 3
#define REFUSED_RTCP 4
#define UNEASY 5
#define DONE 6

/* `source` is the SSRC of what was opened. */
struct arrival {
    double at;
    uint32_t length;
    uint32_t peer;
    uint32_t source;
    uint32_t host;
    uint16_t port;
    uint16_t kind;
};

/* `todo` holds the places of those datagrams that are not done yet, in their order. */
struct batch {
    struct arrival arrivals[BATCH];
    uint8_t *buffers[BATCH];
    uint32_t todo[BATCH];
    uint32_t todo_count;
    uint32_t octets;
};

int receive(struct batch *batch, int descriptor, const struct table *table, double now);
int open_arrival(struct batch *batch, uint32_t place, const struct table *table, double now);

/* -- packets of one stream that came in order, right after each other */

/* How packets without anything to pass on look to one group of viewers. No packet of a datagram is longer than its
   first, of `run_size`. */
struct shape {
    uint16_t run_size;
    uint8_t is_shifted;
    uint8_t block_bytes;
    uint8_t block[BLOCK_BYTES];
};

/* First the stream, where its packets are kept, and who gets copies. Bit n of `passed_on`: header extension n isn't for
   the node alone. Then where it stands: the next packet and the next slot, the jitter so far; `take_run` moves it on.
   Then what was taken: `transport` is the first transport-wide number, or -1; `is_misfit` tells that the next packet would go on, but
   not in one datagram with what has gathered. */
struct run {
    uint32_t ssrc;
    uint32_t clock_rate;
    uint8_t payload_type;
    uint8_t is_vp8;
    uint16_t transport_id;
    uint32_t passed_on;
    uint32_t ring_mask;
    uint32_t groups;
    int64_t *ring_numbers;
    uint16_t *ring_lengths;
    uint8_t *ring_octets;
    struct item *items;
    struct shape *shapes;

    int64_t number;
    double jitter;
    double transit;
    uint32_t by_timestamp;
    uint16_t sequence;
    uint8_t has_transit;
    uint8_t slot;
    uint8_t is_closed;

    uint8_t marker;
    uint8_t is_misfit;
    uint16_t count;
    int32_t transport;
    uint32_t timestamp;
    uint32_t octets;
    uint32_t payload;
    double at[SLOTS];
    int64_t ticks[SLOTS];
};

uint32_t take_run(struct run *run, const struct batch *batch, uint32_t step);

/* -- libsrtp is Python's; its functions are handed over */
int native_version(void);
size_t native_layout(void);
void use_srtp(uintptr_t protect, uintptr_t unprotect, uintptr_t unprotect_rtcp);
