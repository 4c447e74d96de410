/* echo: each telecommand comes back as telemetry; an empty one ends the guest, and so
 * does the craft's request to stop, which is answered with "bye". */
#include <perilune.h>

int solo5_app_main(const struct solo5_start_info *info)
{
    static uint8_t data[PERILUNE_TM_MAX];
    struct solo5_net_info net;
    solo5_handle_t link;

    (void)info;
    if (solo5_net_acquire("link", &link, &net) != SOLO5_R_OK)
        return SOLO5_EXIT_FAILURE;
    for (;;) {
        size_t n = 0;
        solo5_result_t r = perilune_tc_receive(link, data, sizeof data, &n);

        if (r == SOLO5_R_AGAIN && perilune_stop_asked())
            return perilune_tm_send(link, "bye", 3) == SOLO5_R_OK
                       ? SOLO5_EXIT_SUCCESS : SOLO5_EXIT_FAILURE;
        else if (r == SOLO5_R_AGAIN)
            solo5_yield(solo5_clock_monotonic() + 1000000000UL, NULL);
        else if (r != SOLO5_R_OK)
            perilune_log("echo: telecommand over %d octets", PERILUNE_TM_MAX);
        else if (n == 0)
            return SOLO5_EXIT_SUCCESS;
        else if (perilune_tm_send(link, data, n) != SOLO5_R_OK)
            return SOLO5_EXIT_FAILURE;
    }
}
