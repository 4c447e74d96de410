// Compares the two clocks.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    (void)si;
    // Each reading of the wall lies between two of the other, however long the guest was not run.
    uint64_t mono = solo5_clock_monotonic(), wall = solo5_clock_wall(), last = solo5_clock_monotonic(), inside = last;
    CHECK(wall > 1700000000ull * 1000000000); // after November 2023
    for (int i = 0; i < 1000; i++) {
        uint64_t now = solo5_clock_monotonic();
        CHECK(now >= last);
        last = now;
    }
    solo5_yield(mono + 300000000, NULL);
    uint64_t least = solo5_clock_monotonic() - inside, went = solo5_clock_wall() - wall, most = solo5_clock_monotonic() - mono;
    CHECK(most >= 300000000);
    // The frequency told must be the counter's: within 5 %.
    if (went < least - least / 20 || went > most + most / 20) {
        printf("wall %lu, monotonic %lu to %lu\n", (unsigned long)went, (unsigned long)least, (unsigned long)most);
        return 1;
    }
    printf("%lu\n", (unsigned long)(wall / 1000000000 / 86400 / 365 + 1970));
    return 0;
}
