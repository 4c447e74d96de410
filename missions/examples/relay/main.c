/*
 * relay: the half of a pair of missions that talks to the ground. It has the
 * link, logger has the work, and neither can crash the other: they share no
 * memory, only the channel "notes".
 *
 * A telecommand goes to logger as it is; what logger says comes down as
 * telemetry. If logger does not run, messages wait in the craft; when there is
 * no more room for them the ground is told.
 */
#include <perilune.h>

#define HOUR 3600000000000UL /* nanoseconds */

static uint8_t buffer[PERILUNE_CHANNEL_MAX];

/* Hands on every telecommand that waits. */
static solo5_result_t down(solo5_handle_t link, solo5_handle_t notes)
{
    static const char full[] = "relay: logger does not read";
    size_t n;

    for (;;) {
        solo5_result_t r = perilune_tc_receive(link, buffer, sizeof buffer, &n);

        if (r == SOLO5_R_AGAIN)
            return SOLO5_R_OK;
        if (r != SOLO5_R_OK || n == 0)
            continue; /* nothing that could be sent */
        if (perilune_channel_send(notes, buffer, n) == SOLO5_R_AGAIN)
            r = perilune_tm_send(link, full, sizeof full - 1);
        if (r != SOLO5_R_OK)
            return r;
    }
}

/* Hands down every answer that waits, as much of it as a packet holds. */
static solo5_result_t up(solo5_handle_t link, solo5_handle_t notes)
{
    size_t n;

    for (;;) {
        solo5_result_t r =
            perilune_channel_receive(notes, buffer, sizeof buffer, &n);

        if (r == SOLO5_R_AGAIN)
            return SOLO5_R_OK;
        if (r == SOLO5_R_OK)
            r = perilune_tm_send(link, buffer,
                                 n < PERILUNE_TM_MAX ? n : PERILUNE_TM_MAX);
        if (r != SOLO5_R_OK)
            return r;
    }
}

int solo5_app_main(const struct solo5_start_info *info)
{
    struct solo5_net_info net;
    solo5_handle_t link, notes;

    (void)info;
    if (solo5_net_acquire("link", &link, &net) != SOLO5_R_OK ||
        perilune_channel_acquire("notes", &notes) != SOLO5_R_OK) {
        perilune_log("relay: no packet device \"link\" or no channel \"notes\"");
        return SOLO5_EXIT_FAILURE;
    }
    perilune_log("relay: at work");
    while (down(link, notes) == SOLO5_R_OK && up(link, notes) == SOLO5_R_OK)
        solo5_yield(solo5_clock_monotonic() + HOUR, NULL);
    perilune_log("relay: a device has failed");
    return SOLO5_EXIT_FAILURE;
}
