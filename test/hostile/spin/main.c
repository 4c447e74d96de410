// Spins with interrupts off, floods the console, or waits for ever.
#include "guest.h"
MANIFEST(0);

static char text[4096];

int run(const struct boot_info *bi, const char *arg)
{
    (void)bi;
    volatile struct poll forever = {~0ull, 0, 0};
    say("here\n");
    if (is(arg, "flood"))
        for (;;)
            put(text, sizeof text);
    if (is(arg, "drip"))
        for (;;)
            put(text, 1);
    if (is(arg, "poll"))
        call(POLL, &forever);
    if (is(arg, "calls"))
        for (;;)
            now();
#if defined(__x86_64__)
    __asm__ volatile("cli");
#endif
    for (;;)
        ;
}
