/*
 * beacon: telemetry once a second, for as long as the craft lets it.
 *
 * User data of a beacon, big endian:
 *   octet 0  count, u32, from 0; a gap means a lost packet
 *         4  monotonic clock, u64 nanoseconds
 *        12  "beacon"
 * A telecommand is answered at once by telemetry with the same user data.
 */
#include <perilune.h>
#include <string.h>

#define PERIOD 1000000000UL /* nanoseconds */

static solo5_result_t beacon(solo5_handle_t link, uint32_t count)
{
    static const char text[6] = "beacon";
    uint8_t data[12 + sizeof text];

    perilune_put_u32(data, count);
    perilune_put_u64(data + 4, solo5_clock_monotonic());
    memcpy(data + 12, text, sizeof text);
    return perilune_tm_send(link, data, sizeof data);
}

/* Answers every telecommand that waits. */
static void answer(solo5_handle_t link)
{
    static uint8_t data[PERILUNE_TM_MAX];
    size_t n;

    for (;;) {
        switch (perilune_tc_receive(link, data, sizeof data, &n)) {
        case SOLO5_R_OK:
            perilune_tm_send(link, data, n);
            break;
        case SOLO5_R_EINVAL:
            perilune_log("beacon: telecommand over %d octets", PERILUNE_TM_MAX);
            break;
        default:
            return;
        }
    }
}

int solo5_app_main(const struct solo5_start_info *info)
{
    struct solo5_net_info net;
    solo5_handle_t link;
    solo5_time_t next;
    uint32_t count = 0;

    (void)info;
    if (solo5_net_acquire("link", &link, &net) != SOLO5_R_OK) {
        perilune_log("beacon: no packet device \"link\"");
        return SOLO5_EXIT_FAILURE;
    }
    perilune_log("beacon: one packet a second");
    next = solo5_clock_monotonic();
    for (;;) {
        if (solo5_clock_monotonic() >= next) {
            if (beacon(link, count++) != SOLO5_R_OK)
                return SOLO5_EXIT_FAILURE;
            /* After a long wait for room, go on from now: no burst. */
            next += PERIOD;
            if (next < solo5_clock_monotonic())
                next = solo5_clock_monotonic() + PERIOD;
        }
        solo5_yield(next, NULL);
        answer(link);
    }
}
