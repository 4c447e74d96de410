// Its first deed is a hypercall; then it ends.
#include "guest.h"
MANIFEST(0);

int run(const struct boot_info *bi, const char *arg)
{
    (void)bi, (void)arg;
    say("x");
    return 0;
}
