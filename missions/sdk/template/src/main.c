/* {{.Name}}: telemetry once a second, and an answer to each telecommand. */
#include <perilune.h>

#define SECOND 1000000000UL

int solo5_app_main(const struct solo5_start_info *info)
{
    static uint8_t telecommand[PERILUNE_TM_MAX];
    struct solo5_net_info link_info;
    solo5_handle_t link;
    solo5_time_t next;
    uint32_t count = 0;

    perilune_log("{{.Name}}: hello, arguments \"%s\"", info->cmdline);
    if (solo5_net_acquire("link", &link, &link_info) != SOLO5_R_OK)
        return SOLO5_EXIT_FAILURE;

    next = solo5_clock_monotonic();
    for (;;) {
        size_t n;
        uint8_t telemetry[4];

        while (perilune_tc_receive(link, telecommand, sizeof telecommand, &n) == SOLO5_R_OK)
            perilune_tm_send(link, telecommand, n); /* yours: do what it says */

        if (solo5_clock_monotonic() >= next) {
            perilune_put_u32(telemetry, count++); /* yours: what do you measure? */
            perilune_tm_send(link, telemetry, sizeof telemetry);
            next += SECOND;
        }
        solo5_yield(next, NULL);
    }
}
