// Says something long after it was started.
#include "guest.h"
MANIFEST(0);

int run(const struct boot_info *bi, const char *arg)
{
    volatile struct poll p = {2300000000ull, 0, 0};
    (void)bi, (void)arg;
    say("early\n");
    call(POLL, &p);
    say("late\n");
    return 0;
}
