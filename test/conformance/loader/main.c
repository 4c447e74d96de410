// An ordinary guest in an odd file.
#include "../raw.h"

static int counter = 6;
static char zeroes[50000];

int solo5_app_main(const struct solo5_start_info *si)
{
    for (size_t i = 0; i < sizeof zeroes; i++)
        CHECK(zeroes[i] == 0);
    printf("runs %d %s\n", ++counter, si->cmdline);
    return 0;
}
