/*
 * logger: the half of a pair of missions that has no link. It prints each
 * message that relay hands it with a number, and sends that line back.
 */
#include <perilune.h>
#include <stdio.h>

#define HOUR 3600000000000UL /* nanoseconds */

static char message[PERILUNE_CHANNEL_MAX], line[PERILUNE_CHANNEL_MAX];

int solo5_app_main(const struct solo5_start_info *info)
{
    solo5_handle_t notes;
    unsigned count = 0;
    size_t n;

    (void)info;
    if (perilune_channel_acquire("notes", &notes) != SOLO5_R_OK) {
        perilune_log("logger: no channel \"notes\"");
        return SOLO5_EXIT_FAILURE;
    }
    for (;;) {
        solo5_result_t r =
            perilune_channel_receive(notes, message, sizeof message, &n);

        if (r == SOLO5_R_AGAIN) {
            solo5_yield(solo5_clock_monotonic() + HOUR, NULL);
            continue;
        }
        if (r != SOLO5_R_OK)
            return SOLO5_EXIT_FAILURE;
        /* What does not fit the line is cut: a note is no file. */
        int size = snprintf(line, sizeof line, "%u %.*s", ++count, (int)n, message);

        perilune_log("logger: %s", line);
        if (size >= (int)sizeof line)
            size = sizeof line - 1;
        if (perilune_channel_send(notes, line, (size_t)size) != SOLO5_R_OK)
            perilune_log("logger: relay does not read");
    }
}
