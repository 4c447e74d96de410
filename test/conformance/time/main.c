// Compares the two clocks.
#include "../raw.h"

int solo5_app_main(const struct solo5_start_info *si)
{
    (void)si;
    uint64_t wall = solo5_clock_wall(), mono = solo5_clock_monotonic(), last = mono;
    CHECK(wall > 1700000000ull * 1000000000); // after November 2023
    for (int i = 0; i < 1000; i++) {
        uint64_t now = solo5_clock_monotonic();
        CHECK(now >= last);
        last = now;
    }
    solo5_yield(mono + 300000000, NULL);
    uint64_t went = solo5_clock_wall() - wall, counted = solo5_clock_monotonic() - mono;
    CHECK(counted >= 300000000);
    // The frequency told must be the counter's: within 5 %.
    uint64_t apart = went > counted ? went - counted : counted - went;
    if (apart > went / 20) {
        printf("wall %lu, monotonic %lu\n", (unsigned long)went, (unsigned long)counted);
        return 1;
    }
    printf("%lu\n", (unsigned long)(wall / 1000000000 / 86400 / 365 + 1970));
    return 0;
}
