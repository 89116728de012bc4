/* The loops that run for each packet, each copy of it and each report: streams/native.py says when they are used.
   Every function does what its Python twin does, and the tests run both on the same input. Nothing here allocates, and
   nothing is kept but what the caller owns. */

#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "native.h"

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

typedef int (*srtp_call)(void *session, void *packet, int *length);

static srtp_call protect, unprotect, unprotect_rtcp;

int native_version(void) { return NATIVE_VERSION; }

/* Python reads the header when it runs, this was compiled with it before: what they share must still be of one size. */
size_t native_layout(void) {
    return sizeof(struct item) + 3 * sizeof(struct sent_log) + 5 * sizeof(struct member) + 7 * sizeof(struct outcome) +
           11 * sizeof(struct road) + 13 * sizeof(struct delay) + 17 * sizeof(struct peer) + 19 * sizeof(struct table) +
           23 * sizeof(struct batch) + 29 * sizeof(struct shape) + 31 * sizeof(struct run);
}

void use_srtp(uintptr_t for_protect, uintptr_t for_unprotect, uintptr_t for_unprotect_rtcp)
{
    protect = (srtp_call)for_protect;
    unprotect = (srtp_call)for_unprotect;
    unprotect_rtcp = (srtp_call)for_unprotect_rtcp;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }

/* -- copies (streams/sfu/fanout.py) */

/* Memory for a few viewers' datagrams, filled and sent again and again: it stays in the processor's cache. */
struct tray {
    struct mmsghdr headers[PLACES];
    struct iovec vectors[PLACES][SLOTS];
    uint8_t controls[PLACES][CONTROL_BYTES] __attribute__((aligned(8)));
    uint8_t slots[PLACES][SLOTS][SLOT_BYTES];
    uint8_t is_broken[PLACES];
    uint32_t count;
};

size_t tray_bytes(void) { return sizeof(struct tray); }

static void shape_tray(struct tray *tray, uint32_t count)
{
    for (int i = 0; i < PLACES; i++) {
        struct msghdr *header = &tray->headers[i].msg_hdr;
        header->msg_iovlen = count;
        header->msg_control = count > 1 ? tray->controls[i] : NULL;
        header->msg_controllen = count > 1 ? CMSG_SPACE(sizeof(uint16_t)) : 0;
    }
    tray->count = count;
}

void tray_prepare(void *memory)
{
    struct tray *tray = memory;
    for (int i = 0; i < PLACES; i++) {
        tray->headers[i].msg_hdr.msg_iov = tray->vectors[i];
        for (int slot = 0; slot < SLOTS; slot++)
            tray->vectors[i][slot].iov_base = tray->slots[i][slot];
        struct cmsghdr *control = (struct cmsghdr *)tray->controls[i];
        control->cmsg_level = SOL_UDP;
        control->cmsg_type = UDP_SEGMENT;
        control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    }
    shape_tray(tray, 1);
}

static void shift_picture(uint8_t *packet, const struct item *item, const struct member *member)
{
    if (item->picture_at) {
        uint32_t picture = item->picture + member->by_picture;
        if (item->is_wide)
            put16(packet + item->picture_at, 0x8000 | (picture & 0x7FFF));
        else
            packet[item->picture_at] = picture & 0x7F;
    }
    if (item->base_at)
        packet[item->base_at] = (uint8_t)(item->base + member->by_base);
}

/* One viewer's packets into one place; what could not be protected must never leave, and is left empty. */
static void fill(struct tray *tray, int place, const struct member *member, const struct item *items, uint32_t count,
                 double now, struct outcome *outcome)
{
    struct sent_log *log = member->log;
    uint32_t octets = 0;
    tray->is_broken[place] = 0;
    for (uint32_t slot = 0; slot < count; slot++) {
        const struct item *item = &items[slot];
        uint8_t *packet = tray->slots[place][slot];
        int length = item->size;
        if (length < 12 || length > ITEM_BYTES) {
            tray->vectors[place][slot].iov_len = 0;
            tray->is_broken[place] = 1;
            outcome->errors++;
            continue;
        }
        packet[0] = item->first;
        packet[1] = item->marker | member->payload_type;
        put16(packet + 2, (uint32_t)(item->number + member->by_sequence));
        put32(packet + 4, item->timestamp + member->by_timestamp);
        put32(packet + 8, member->ssrc);
        memcpy(packet + 12, item->bytes + 12, (size_t)length - 12);
        if (log)
            /* The first element of a one-byte block after the fixed header. */
            put16(packet + 17, ++log->number);
        if (member->is_shifted)
            shift_picture(packet, item, member);
        octets += (uint32_t)length;
        if (protect(member->session, packet, &length)) {
            length = 0;
            tray->is_broken[place] = 1;
            outcome->errors++;
        }
        tray->vectors[place][slot].iov_len = (size_t)length;
    }
    if (log)
        note_sent(log, (uint16_t)count, octets, now);
    struct msghdr *header = &tray->headers[place].msg_hdr;
    header->msg_name = (void *)member->name;
    header->msg_namelen = member->name_bytes;
    if (count > 1) {
        uint16_t segment = (uint16_t)tray->vectors[place][0].iov_len;
        memcpy(CMSG_DATA((struct cmsghdr *)tray->controls[place]), &segment, sizeof segment);
    }
}

static void send_singly(struct tray *tray, int descriptor, int place, struct outcome *outcome)
{
    const struct msghdr *header = &tray->headers[place].msg_hdr;
    for (uint32_t slot = 0; slot < tray->count; slot++) {
        const struct iovec *vector = &tray->vectors[place][slot];
        if (!vector->iov_len)
            continue;
        outcome->calls++;
        ssize_t sent =
            sendto(descriptor, vector->iov_base, vector->iov_len, MSG_DONTWAIT, header->msg_name, header->msg_namelen);
        if (sent >= 0) {
            outcome->packets++;
            outcome->octets += (uint32_t)vector->iov_len;
        } else if (errno == EAGAIN || errno == ENOBUFS)
            outcome->dropped++;
        else
            outcome->errors++;
    }
}

static void count_sent(struct tray *tray, int from, int places, struct outcome *outcome)
{
    outcome->packets += (uint32_t)places * tray->count;
    for (int place = from; place < from + places; place++)
        for (uint32_t slot = 0; slot < tray->count; slot++)
            outcome->octets += (uint32_t)tray->vectors[place][slot].iov_len;
}

static int is_not_segmentable(int code)
{
    return code == EINVAL || code == EIO || code == EMSGSIZE || code == EOPNOTSUPP;
}

/* Send the places from `from` to `to`, none of which is broken, with as few calls as it takes. */
static void send_many(struct tray *tray, int descriptor, int from, int to, struct outcome *outcome)
{
    while (from < to) {
        outcome->calls++;
        int sent = sendmmsg(descriptor, tray->headers + from, (unsigned)(to - from), MSG_DONTWAIT);
        if (sent > 0) {
            count_sent(tray, from, sent, outcome);
            from += sent;
            continue;
        }
        int code = errno;
        if (code == EINTR)
            continue;
        if (code == EAGAIN || code == ENOBUFS) {
            outcome->dropped += (uint32_t)(to - from) * tray->count;
            return;
        }
        if (tray->count > 1 && is_not_segmentable(code)) {
            if (code == EIO || code == EOPNOTSUPP)
                outcome->cannot_segment = code;
            send_singly(tray, descriptor, from, outcome);
        } else
            outcome->errors += tray->count;
        from++;
    }
}

static void send_tray(struct tray *tray, int descriptor, int total, struct outcome *outcome)
{
    int from = 0;
    for (int place = 0; place < total; place++)
        if (tray->is_broken[place]) {
            send_many(tray, descriptor, from, place, outcome);
            send_singly(tray, descriptor, place, outcome);
            from = place + 1;
        }
    send_many(tray, descriptor, from, total, outcome);
}

void send_copies(void *memory, int descriptor, const struct member *members, uint32_t total, const struct item *items,
                 uint32_t count, double now, struct outcome *outcome)
{
    struct tray *tray = memory;
    memset(outcome, 0, sizeof *outcome);
    if (!protect || !count || count > SLOTS)
        return;
    if (count != tray->count)
        shape_tray(tray, count);
    uint32_t step = FILLED_AT_ONCE / count < PLACES ? FILLED_AT_ONCE / count : PLACES;
    for (uint32_t first = 0; first < total; first += step) {
        uint32_t places = total - first < step ? total - first : step;
        for (uint32_t place = 0; place < places; place++) {
            const struct member *member = &members[first + place];
            fill(tray, (int)place, member, items + (size_t)member->group * SLOTS, count, now, outcome);
        }
        send_tray(tray, descriptor, (int)places, outcome);
    }
}

/* -- the log of what was sent (streams/sfu/sent_log.py) */

static void forget_first(struct sent_log *log)
{
    log->first = (uint16_t)((log->first + 1) % LOG_ENTRIES);
    log->count--;
}

void note_sent(struct sent_log *log, uint16_t packets, uint32_t octets, double at)
{
    if (!packets)
        return;
    if (log->count == LOG_ENTRIES)
        forget_first(log);
    struct sent *entry = &log->entries[(log->first + log->count) % LOG_ENTRIES];
    log->count++;
    entry->at = at;
    entry->octets = octets;
    entry->number = log->number;
    entry->packets = packets;
}

#define OVERHEAD 44
#define TICKS_PER_SECOND 4000.0
#define TICKS_PER_REFERENCE 256.0
#define REFERENCE_LAP (1 << 24)
#define NOT_ARRIVED INT32_MIN

static double reference_seconds(struct sent_log *log, int64_t reference)
{
    if (log->has_reference) {
        int64_t step = ((reference - log->reference + REFERENCE_LAP / 2) & (REFERENCE_LAP - 1)) - REFERENCE_LAP / 2;
        reference = log->reference + step;
    }
    log->reference = reference;
    log->has_reference = 1;
    return (double)reference * TICKS_PER_REFERENCE / TICKS_PER_SECOND;
}

struct told {
    int64_t received, lost, octets;
    double last_arrival;
};

/* Take out of the log what these arrivals cover; each flush of which anything arrived gives one delay. */
static uint32_t acknowledge(struct sent_log *log, uint16_t base, const int32_t *arrivals, int32_t total, double origin,
                            struct told *told, struct delay *delays)
{
    uint32_t found = 0;
    int32_t last = 0;
    while (log->count) {
        struct sent *entry = &log->entries[log->first];
        int32_t end = (int32_t)(((uint32_t)entry->number - base + 0x8000) & 0xFFFF) - 0x7FFF;
        int32_t size = entry->packets, start = end - size;
        int64_t flushed = entry->octets;
        if (start >= total)
            break;
        double sent_at = entry->at;
        if (end > total) {
            /* The rest of this flush is told of later. */
            int32_t rest = end - total;
            int64_t of_rest = flushed * rest / size;
            entry->packets = (uint16_t)rest;
            entry->octets = (uint32_t)of_rest;
            size -= rest;
            flushed -= of_rest;
            end = total;
        } else {
            forget_first(log);
        }
        if (end <= 0)
            continue;
        int32_t count = 0, first_arrival = 0, last_arrival = 0;
        for (int32_t i = start > 0 ? start : 0; i < end; i++) {
            if (arrivals[i] == NOT_ARRIVED) {
                told->lost++;
                continue;
            }
            if (!count++)
                first_arrival = arrivals[i];
            last_arrival = arrivals[i];
        }
        if (!count)
            continue;
        told->received += count;
        told->octets += flushed * count / size + OVERHEAD * count;
        delays[found].sent_at = sent_at;
        delays[found++].seconds = origin + first_arrival / TICKS_PER_SECOND - sent_at;
        if (last_arrival > last)
            last = last_arrival;
    }
    told->last_arrival = origin + last / TICKS_PER_SECOND;
    return found;
}

/* -- the road (streams/sfu/road.py) */

#define QUEUE_SECONDS 0.1
#define BASE_SECONDS 10.0

static void take_delay(struct road *road, const struct delay *delay)
{
    if (delay->seconds < road->base_next) {
        road->base_next = delay->seconds;
        if (delay->seconds < road->base)
            road->base = delay->seconds;
    }
    road->queue_seconds = delay->seconds - road->base;
    if (road->queue_seconds <= QUEUE_SECONDS) {
        road->queued_since = INFINITY;
        return;
    }
    if (road->queued_since == INFINITY)
        road->queued_since = delay->sent_at;
    road->queued_until = delay->sent_at;
}

static void note_point(struct road *road, double at)
{
    if (road->points == POINTS) {
        road->first_point = (road->first_point + 1) % POINTS;
        road->points--;
    }
    uint32_t place = (road->first_point + road->points++) % POINTS;
    road->point_at[place] = at;
    road->point_octets[place] = road->octets;
}

/* Whether something isn't as it should be. */
static int take_road(struct road *road, const struct told *told, const struct delay *delays, uint32_t count, double now)
{
    road->lost += told->lost;
    if (!told->received)
        return told->lost > 0;
    int was_queued = road->queued_since < INFINITY;
    road->heard_at = now;
    road->received += told->received;
    road->octets += told->octets;
    if (now >= road->base_until) {
        road->base = road->base_next;
        road->base_next = INFINITY;
        road->base_until = now + BASE_SECONDS;
    }
    for (uint32_t i = 0; i < count; i++)
        take_delay(road, &delays[i]);
    int is_queued = road->queued_since < INFINITY;
    if (is_queued && !was_queued)
        /* From here on what arrives is what the road carries. */
        road->points = 0;
    note_point(road, told->last_arrival);
    return is_queued || told->lost * 10 > told->received;
}

/* -- transport-wide feedback (streams/rtp/transport_feedback.py) */

#define RECEIVER_REPORT 201
#define TRANSPORT_LAYER_FEEDBACK 205
#define TRANSPORT_WIDE 15
#define FIXED_BYTES 16

/* The statuses of `count` packets into `symbols`; where the deltas begin, or 0 for what is cut off. */
static uint32_t read_chunks(const uint8_t *body, uint32_t length, int32_t *symbols, uint32_t count)
{
    uint32_t position = FIXED_BYTES, done = 0;
    while (done < count) {
        if (position + 2 > length)
            return 0;
        uint32_t chunk = get16(body + position);
        position += 2;
        if (!(chunk & 0x8000)) {
            uint32_t run = chunk & 0x1FFF;
            for (uint32_t i = 0; i < run && done < count; i++)
                symbols[done++] = (int32_t)(chunk >> 13 & 3);
        } else {
            int width = chunk & 0x4000 ? 2 : 1, shift = chunk & 0x4000 ? 12 : 13;
            for (; shift >= 0 && done < count; shift -= width)
                symbols[done++] = (int32_t)(chunk >> shift & (width == 2 ? 3 : 1));
        }
    }
    return position;
}

/* Turn `symbols` into arrivals, in ticks after the reference; whether all deltas were there. */
static int read_deltas(const uint8_t *body, uint32_t length, uint32_t position, int32_t *symbols, uint32_t count)
{
    int32_t time = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t size = symbols[i] < 3 ? symbols[i] : 0;
        if (position + (uint32_t)size > length)
            return 0;
        if (size == 1)
            time += body[position];
        else if (size == 2)
            time += (int16_t)get16(body + position);
        position += (uint32_t)size;
        symbols[i] = size ? time : NOT_ARRIVED;
    }
    return 1;
}

/* One feedback without its head and padding; negative for what is malformed. */
static int take_body(struct sent_log *log, struct road *road, const uint8_t *body, uint32_t length, double now,
                     struct delay *delays, uint32_t *delay_count)
{
    int32_t arrivals[STATUSES];
    if (length < FIXED_BYTES)
        return -1;
    uint32_t count = get16(body + 10);
    if (count > STATUSES)
        return -1;
    uint32_t position = read_chunks(body, length, arrivals, count);
    if (!position || !read_deltas(body, length, position, arrivals, count))
        return -1;
    struct told told = {0, 0, 0, 0.0};
    double origin = reference_seconds(log, get32(body + 12) >> 8);
    *delay_count = acknowledge(log, (uint16_t)get16(body + 8), arrivals, (int32_t)count, origin, &told, delays);
    road->feedbacks++;
    road->answered_at = now;
    return take_road(road, &told, delays, *delay_count, now);
}

/* Take a compound of nothing but empty receiver reports and one feedback: 1 where that makes uneasy, 0 where not;
   negative for any other compound, of which nothing is taken. `delays` has room for LOG_ENTRIES. */
int take_feedback(struct sent_log *log, struct road *road, const uint8_t *plain, uint32_t length, double now,
                  struct delay *delays, uint32_t *delay_count)
{
    const uint8_t *feedback = NULL;
    uint32_t feedback_length = 0, position = 0;
    while (position + 4 <= length) {
        const uint8_t *head = plain + position;
        uint32_t bytes = 4 + 4 * get16(head + 2), padding = 0;
        if (head[0] >> 6 != 2 || position + bytes > length)
            return -1;
        if (head[0] & 0x20) {
            padding = head[bytes - 1];
            if (!padding || padding > bytes - 4 || position + bytes != length)
                return -1;
        }
        if (head[1] == TRANSPORT_LAYER_FEEDBACK && (head[0] & 0x1F) == TRANSPORT_WIDE && !feedback) {
            feedback = head + 4;
            feedback_length = bytes - 4 - padding;
        } else if (head[1] != RECEIVER_REPORT || head[0] & 0x1F || bytes != 8)
            return -1;
        position += bytes;
    }
    if (!feedback || position != length)
        return -1;
    *delay_count = 0;
    return take_body(log, road, feedback, feedback_length, now, delays, delay_count);
}

/* -- what arrives (streams/transport/port.py) */

static uint32_t place_of(const struct table *table, uint64_t address)
{
    uint64_t mixed = (address ^ table->salt) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(mixed >> 32) & (TABLE_PLACES - 1);
}

struct peer *table_find(const struct table *table, uint64_t address)
{
    uint32_t place = place_of(table, address);
    while (table->peers[place]) {
        if (table->keys[place] == address)
            return table->peers[place];
        place = (place + 1) & (TABLE_PLACES - 1);
    }
    return NULL;
}

/* Let an address lead to a peer; 0 if there is no room: then its datagrams stay raw. */
int table_put(struct table *table, uint64_t address, struct peer *peer)
{
    uint32_t place = place_of(table, address);
    while (table->peers[place] && table->keys[place] != address)
        place = (place + 1) & (TABLE_PLACES - 1);
    if (!table->peers[place]) {
        if (table->count >= TABLE_PLACES / 2)
            return 0;
        table->count++;
    }
    table->keys[place] = address;
    table->peers[place] = peer;
    return 1;
}

/* Forget an address, and move up who stood behind it because its place was taken. */
void table_remove(struct table *table, uint64_t address)
{
    uint32_t place = place_of(table, address);
    while (table->peers[place] && table->keys[place] != address)
        place = (place + 1) & (TABLE_PLACES - 1);
    if (!table->peers[place])
        return;
    table->count--;
    uint32_t gap = place;
    for (;;) {
        place = (place + 1) & (TABLE_PLACES - 1);
        if (!table->peers[place])
            break;
        uint32_t home = place_of(table, table->keys[place]);
        if (((place - home) & (TABLE_PLACES - 1)) >= ((place - gap) & (TABLE_PLACES - 1))) {
            table->keys[gap] = table->keys[place];
            table->peers[gap] = table->peers[place];
            gap = place;
        }
    }
    table->peers[gap] = NULL;
}

static int is_known(const struct peer *peer, uint32_t source)
{
    for (uint32_t i = 0; i < peer->known && i < KNOWN_SOURCES; i++)
        if (peer->sources[i] == source)
            return 1;
    return 0;
}

/* Open one datagram in its buffer, if it is media or a report of a known source of an open session; returns its kind. */
int open_arrival(struct batch *batch, uint32_t place, const struct table *table, double now)
{
    static struct delay delays[LOG_ENTRIES];
    struct arrival *arrival = &batch->arrivals[place];
    uint8_t *datagram = batch->buffers[place];
    arrival->kind = RAW;
    if (arrival->length < 12 || datagram[0] < 128 || datagram[0] > 191)
        return RAW;
    struct peer *peer = table_find(table, (uint64_t)arrival->host << 16 | arrival->port);
    int is_report = datagram[1] >= 192 && datagram[1] <= 223;
    uint32_t source = get32(datagram + (is_report ? 4 : 8));
    if (!peer || !peer->session || !is_known(peer, source))
        return RAW;
    int length = (int)arrival->length;
    arrival->peer = peer->number;
    arrival->source = source;
    if ((is_report ? unprotect_rtcp : unprotect)(peer->session, datagram, &length)) {
        arrival->kind = is_report ? REFUSED_RTCP : REFUSED_RTP;
        return arrival->kind;
    }
    arrival->length = (uint32_t)length;
    arrival->kind = is_report ? OPENED_RTCP : OPENED_RTP;
    if (is_report && peer->log && !peer->road->awaits_train) {
        uint32_t count;
        int verdict = take_feedback(peer->log, peer->road, datagram, arrival->length, now, delays, &count);
        if (verdict >= 0)
            arrival->kind = verdict ? UNEASY : DONE;
    }
    return arrival->kind;
}

/* How long ago the kernel got a datagram, by the time that it wrote beside it; 0 where it wrote none. */
static double waited(const struct msghdr *header, const struct timespec *now)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR((struct msghdr *)header, c)) {
        struct timespec then;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPNS)
            continue;
        memcpy(&then, CMSG_DATA(c), sizeof then);
        double seconds = (double)(now->tv_sec - then.tv_sec) + (double)(now->tv_nsec - then.tv_nsec) / 1e9;
        return seconds > 0 && seconds < 1 ? seconds : 0;
    }
    return 0;
}

/* Take what waits in the socket, up to BATCH datagrams, and open what can be; how many there were, or minus an errno. */
int receive(struct batch *batch, int descriptor, const struct table *table, double now)
{
    static struct mmsghdr headers[BATCH];
    static struct iovec vectors[BATCH];
    static struct sockaddr_in names[BATCH];
    static uint8_t controls[BATCH][64] __attribute__((aligned(8)));
    for (int i = 0; i < BATCH; i++) {
        vectors[i].iov_base = batch->buffers[i];
        vectors[i].iov_len = DATAGRAM_BYTES;
        headers[i].msg_hdr = (struct msghdr){&names[i], sizeof names[i], &vectors[i], 1, controls[i], 64, 0};
    }
    batch->todo_count = batch->octets = 0;
    int taken = recvmmsg(descriptor, headers, BATCH, MSG_DONTWAIT, NULL);
    if (taken < 0)
        return -errno;
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    for (int i = 0; i < taken; i++) {
        struct arrival *arrival = &batch->arrivals[i];
        arrival->at = now - waited(&headers[i].msg_hdr, &wall);
        arrival->length = headers[i].msg_len;
        arrival->peer = 0;
        arrival->host = ntohl(names[i].sin_addr.s_addr);
        arrival->port = ntohs(names[i].sin_port);
        batch->octets += headers[i].msg_len;
        if (open_arrival(batch, (uint32_t)i, table, now) != DONE)
            batch->todo[batch->todo_count++] = (uint32_t)i;
    }
    return taken;
}

/* -- runs (streams/sfu/runs.py) */

#define ONE_BYTE_PROFILE 0xBEDE

/* Where the VP8 data begins if this payload begins a frame, else 0. */
static uint32_t vp8_frame_offset(const uint8_t *payload, uint32_t size)
{
    uint32_t position = 1;
    if ((payload[0] & 0x17) != 0x10)
        return 0;
    if (payload[0] & 0x80) {
        if (position >= size)
            return 0;
        uint8_t flags = payload[position++];
        if (flags & 0x80) {
            if (position >= size)
                return 0;
            position += payload[position] & 0x80 ? 2 : 1;
        }
        position += flags & 0x40 ? 1 : 0;
        position += flags & 0x30 ? 1 : 0;
    }
    return position < size ? position : 0;
}

/* Whether a key frame may begin here: Python looks closer. */
static int may_start(const struct run *run, const uint8_t *payload, uint32_t size)
{
    if (run->is_vp8) {
        uint32_t offset = vp8_frame_offset(payload, size);
        return offset && !(payload[offset] & 1);
    }
    uint32_t kind = payload[0] & 0x1F;
    if (kind == 28)
        return size < 3 || ((payload[1] & 0x80) && (payload[1] & 0x1F) == 5);
    return kind == 5 || kind == 7 || kind == 24;
}

/* One packet of a run: where its payload lies, and its transport-wide number or -1. */
struct taken {
    uint32_t start;
    uint32_t size;
    int32_t transport;
};

/* Read the extensions from `at` to `end`; 0 where one of them is to be passed on, or the block isn't whole. */
static int read_extensions(const struct run *run, const uint8_t *packet, uint32_t at, uint32_t end, struct taken *taken)
{
    while (at < end) {
        uint32_t head = packet[at++], number = head >> 4, size = (head & 15) + 1;
        if (!head)
            continue;
        if (!number || number == 15 || at + size > end || run->passed_on >> number & 1)
            return 0;
        if (number == run->transport_id) {
            if (size != 2 || taken->transport >= 0)
                return 0;
            taken->transport = (int32_t)get16(packet + at);
        }
        at += size;
    }
    return 1;
}

/* Whether this is the stream's next packet, and nothing about it is unusual. */
static int is_next(const struct run *run, const uint8_t *packet, uint32_t length, struct taken *taken)
{
    if (length < 13 || length > MAX_PACKET || (packet[0] & 0xEF) != 0x80)
        return 0;
    if ((packet[1] & 0x7F) != run->payload_type || get16(packet + 2) != run->sequence || get32(packet + 8) != run->ssrc)
        return 0;
    taken->start = 12;
    taken->transport = -1;
    if (packet[0] & 0x10) {
        if (length < 16 || get16(packet + 12) != ONE_BYTE_PROFILE)
            return 0;
        taken->start = 16 + 4 * get16(packet + 14);
        if (taken->start >= length || !read_extensions(run, packet, 16, taken->start, taken))
            return 0;
    }
    taken->size = length - taken->start;
    if (may_start(run, packet + taken->start, taken->size))
        return 0;
    if (!run->count)
        return 1;
    int32_t following = run->transport < 0 ? -1 : (run->transport + run->count) & 0xFFFF;
    return get32(packet + 4) == run->timestamp - run->by_timestamp && taken->transport == following;
}

/* Whether it can go with what has gathered; if so `is_closed` then says that no other can follow. */
static int fits(struct run *run, const struct taken *taken)
{
    if (run->slot && run->is_closed)
        return 0;
    for (uint32_t group = 0; group < run->groups; group++) {
        struct shape *shape = &run->shapes[group];
        uint32_t size = 12 + shape->block_bytes + taken->size;
        if (size > ITEM_BYTES || (run->slot && size > shape->run_size))
            return 0;
    }
    run->is_closed = 0;
    for (uint32_t group = 0; group < run->groups; group++) {
        struct shape *shape = &run->shapes[group];
        uint16_t size = (uint16_t)(12 + shape->block_bytes + taken->size);
        if (!run->slot)
            shape->run_size = size;
        run->is_closed |= size < shape->run_size;
    }
    return 1;
}

/* Where the numbers of a VP8 descriptor stand in an item (vp8_numbers in streams/rtp/payload.py). */
static void find_picture(struct item *item, uint32_t at, uint32_t end)
{
    item->picture_at = item->picture = item->base_at = item->base = item->is_wide = 0;
    const uint8_t *bytes = item->bytes;
    if (end - at < 3 || !(bytes[at] & 0x80))
        return;
    uint8_t flags = bytes[at + 1];
    at += 2;
    if (flags & 0x80) {
        uint32_t place = at, picture = bytes[at] & 0x7F, is_wide = bytes[at] >> 7;
        at++;
        if (is_wide) {
            if (at >= end)
                return;
            picture = picture << 8 | bytes[at++];
        }
        if (flags & 0x40 && at >= end)
            return;
        item->picture_at = (uint16_t)place;
        item->picture = (uint16_t)picture;
        item->is_wide = (uint8_t)is_wide;
    }
    if (flags & 0x40 && at < end) {
        item->base_at = (uint16_t)at;
        item->base = bytes[at];
    }
}

/* The packet as each group sees it. */
static void gather(const struct run *run, const uint8_t *packet, const struct taken *taken)
{
    for (uint32_t group = 0; group < run->groups; group++) {
        const struct shape *shape = &run->shapes[group];
        struct item *item = &run->items[group * SLOTS + run->slot];
        uint32_t before = 12 + shape->block_bytes;
        item->size = (uint16_t)(before + taken->size);
        item->first = shape->block_bytes ? 0x90 : 0x80;
        item->marker = packet[1] & 0x80;
        item->timestamp = run->timestamp;
        item->number = run->number;
        memcpy(item->bytes + 12, shape->block, shape->block_bytes);
        memcpy(item->bytes + before, packet + taken->start, taken->size);
        item->picture_at = item->base_at = 0;
        if (shape->is_shifted && run->is_vp8)
            find_picture(item, before, item->size);
    }
}

/* Renumbered in the ring alone: what lies in the buffer may still have to be taken again, should a handler fail. */
static void keep(const struct run *run, const uint8_t *packet, uint32_t length)
{
    uint32_t place = (uint32_t)run->number & run->ring_mask;
    uint8_t *kept = run->ring_octets + (size_t)place * MAX_PACKET;
    run->ring_numbers[place] = run->number;
    run->ring_lengths[place] = (uint16_t)length;
    memcpy(kept, packet, length);
    put16(kept + 2, (uint32_t)run->number);
    put32(kept + 4, run->timestamp);
}

#define TIMESTAMP_LAP 4294967296.0

/* Reception.count in streams/sfu/reception.py. */
static void take_jitter(struct run *run, double at, uint32_t timestamp)
{
    double transit = fmod(at * run->clock_rate - timestamp, TIMESTAMP_LAP);
    if (transit < 0)
        transit += TIMESTAMP_LAP;
    if (run->has_transit) {
        double step = fmod(transit - run->transit + TIMESTAMP_LAP / 2, TIMESTAMP_LAP);
        if (step < 0)
            step += TIMESTAMP_LAP;
        run->jitter += (fabs(step - TIMESTAMP_LAP / 2) - run->jitter) / 16;
    }
    run->transit = transit;
    run->has_transit = 1;
}

/* Take what follows from `step` of the batch on, up to the end of a frame or of the slots: kept in the ring and gathered
   for the viewers, as `Feed` does with a packet at a time. How many were taken; what comes
   next isn't of this run, or is Python's to judge. */
uint32_t take_run(struct run *run, const struct batch *batch, uint32_t step)
{
    uint32_t peer = batch->arrivals[batch->todo[step]].peer;
    run->count = run->marker = run->is_misfit = 0;
    run->octets = run->payload = 0;
    for (; step < batch->todo_count && run->slot < SLOTS && !run->marker; step++) {
        uint32_t place = batch->todo[step];
        const struct arrival *arrival = &batch->arrivals[place];
        const uint8_t *packet = batch->buffers[place];
        struct taken taken;
        if (arrival->kind != OPENED_RTP || arrival->peer != peer)
            break;
        if (!is_next(run, packet, arrival->length, &taken))
            break;
        if (!fits(run, &taken)) {
            run->is_misfit = 1;
            break;
        }
        uint32_t timestamp = get32(packet + 4);
        take_jitter(run, arrival->at, timestamp);
        if (!run->count)
            run->transport = taken.transport;
        run->timestamp = timestamp + run->by_timestamp;
        run->marker = packet[1] >> 7;
        keep(run, packet, arrival->length);
        gather(run, packet, &taken);
        run->at[run->count] = arrival->at;
        run->ticks[run->count] = (int64_t)(arrival->at * TICKS_PER_SECOND);
        run->octets += arrival->length;
        run->payload += taken.size;
        run->number++;
        run->sequence++;
        run->slot++;
        run->count++;
    }
    return run->count;
}
